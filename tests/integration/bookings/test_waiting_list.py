"""Who found no time of a service today: on its list, off it once they are booked, told of a free one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.explanations import ReasonCode
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Journey
from bookings.models import Booking, Closing, Schedule, Slot, SlotStatus, WaitingEntry
from bookings.policies import check_can_close_waiting
from bookings.selectors.clinics import came_free, waiting_list
from bookings.services.diaries import add_slots, block_range, free_range
from bookings.services.running import cancel_received, close_waiting, find_times, note_refusal
from bookings.states import BookingStatus
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import NOW, TOMORROW, make_booking, make_slot
from tests.factories.patients import make_patient
from tests.integration.bookings.conftest import Desk

pytestmark = pytest.mark.django_db
_B = BookingStatus
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def manager(desk: Desk) -> Acting:
    return make_acting(role=Role.MANAGER, organisation=desk.service.provider)


def look(desk: Desk, *, journey: Journey | None = None, now: datetime = NOW) -> list[Slot]:
    """Somebody looks for times of the two days that have the slots."""
    found = find_times(
        desk.network.client,
        service=desk.service,
        start=now,
        end=TOMORROW + timedelta(hours=4),
        acting=desk.acting,
        now=now,
        journey=journey,
    )
    return list(Slot.objects.filter(pk__in=[each.id for each in found.offers]))


def all_taken(desk: Desk) -> None:
    Slot.objects.filter(service=desk.service).update(status=SlotStatus.BUSY_UNAVAILABLE)


def case_of(desk: Desk) -> Journey:
    return make_patient(organisation=desk.acting.organisation).journey


def test_a_booking_that_came_too_late_waits_with_its_patient(desk: Desk, manager: Acting) -> None:
    first, second = desk.draft(), desk.draft()
    desk.request(draft=first)
    late = desk.request(draft=second)
    desk.network.deliver_all()
    late.refresh_from_db()
    assert late.explanation_code == ReasonCode.TAKEN
    (entry,) = waiting_list(manager, now=NOW)
    assert (entry.booking, entry.journey, entry.user) == (late, late.journey, desk.acting.user)
    assert entry.label == desk.acting.actor.label
    assert [each.pk for each in came_free(desk.acting, now=NOW)] == [entry.pk], "others are free that day"


@pytest.mark.parametrize(
    ("code", "hosted", "waits"),
    [
        (ReasonCode.TAKEN, True, True),
        (ReasonCode.NOT_FOUND, True, True),
        (ReasonCode.NOT_PERMITTED, True, False),
        (ReasonCode.SERVICE_FAILED, True, False),
        (ReasonCode.TAKEN, False, False),
    ],
)
def test_only_a_slot_that_is_gone_at_a_service_of_ours_makes_somebody_wait(
    desk: Desk, code: ReasonCode, hosted: bool, waits: bool
) -> None:
    type(desk.service).objects.filter(pk=desk.service.pk).update(hosted=hosted)
    desk.service.refresh_from_db()
    refused = make_booking(
        organisation=desk.acting.organisation, service=desk.service, status=_B.REFUSED, explanation_code=code
    )
    note_refusal(booking=refused, actor=desk.acting.actor, now=NOW)
    assert WaitingEntry.objects.exists() is waits


@pytest.mark.parametrize("is_case", [True, False], ids=["a case", "nobody named"])
def test_who_looks_again_waits_once(desk: Desk, manager: Acting, is_case: bool) -> None:
    all_taken(desk)
    journey = case_of(desk) if is_case else None
    look(desk, journey=journey)
    look(desk, journey=journey, now=LATER)
    (entry,) = waiting_list(manager, now=LATER)
    assert (entry.refused_at, entry.journey, entry.booking) == (LATER, journey, None)
    with pytest.raises(IntegrityError, match="waiting_"), transaction.atomic():
        entry.pk = None
        entry.save(force_insert=True)


def test_what_was_searched_for_nobody_ends_when_times_are_found(desk: Desk, manager: Acting) -> None:
    all_taken(desk)
    look(desk)
    look(desk, journey=case_of(desk))
    Slot.objects.filter(service=desk.service).update(status=SlotStatus.FREE)
    look(desk, now=LATER)
    assert WaitingEntry.objects.get(closed_as=Closing.FOUND).journey is None
    (entry,) = waiting_list(manager, now=LATER)
    assert entry.journey is not None, "a case waits until it is booked"


def test_a_search_is_over_once_its_person_has_booked_somebody(desk: Desk, manager: Acting) -> None:
    all_taken(desk)
    look(desk, now=NOW - timedelta(minutes=1))
    Slot.objects.filter(service=desk.service).update(status=SlotStatus.FREE)
    assert waiting_list(manager, now=NOW).count() == 1
    desk.request()
    assert waiting_list(manager, now=NOW).count() == 0


@pytest.mark.parametrize("status", list(_B))
@pytest.mark.parametrize("is_refused_booking", [True, False], ids=["refused", "searched"])
def test_a_case_is_off_the_list_once_it_is_booked_anywhere(
    desk: Desk, manager: Acting, status: BookingStatus, is_refused_booking: bool
) -> None:
    """Also while the outcome of the new booking is not known: nobody may offer a second."""
    patient = make_patient(organisation=desk.acting.organisation)
    if is_refused_booking:
        fields: dict[str, Any] = {
            "service": desk.service,
            "status": _B.REFUSED,
            "explanation_code": ReasonCode.TAKEN,
        }
        refused = make_booking(patient=patient, created_at=NOW, **fields)
        note_refusal(booking=refused, actor=desk.acting.actor, now=NOW)
    else:
        make_booking(patient=patient, created_at=NOW - timedelta(days=1))
        all_taken(desk)
        look(desk, journey=patient.journey)
    assert waiting_list(manager, now=LATER).count() == 1, "what was booked before does not count"
    make_booking(patient=patient, status=status, created_at=LATER)
    ended = status in (_B.REFUSED, _B.CANCELLED, _B.ENTERED_IN_ERROR)
    assert waiting_list(manager, now=LATER).count() == ended


def received_at(slot: Slot, manager: Acting) -> Booking:
    return make_booking(service=slot.service, direction=Direction.RECEIVED, slot=slot, start=slot.start)


def _cancelled(slot: Slot, manager: Acting) -> None:
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.FREE)
    booking = received_at(slot, manager)
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.BUSY)
    assert came_free_of(slot) == [], "taken"
    cancel_received(booking=booking, reason="Dr ill", acting=manager, now=NOW)


def _freed(slot: Slot, manager: Acting) -> None:
    times: dict[str, Any] = {
        "diaries": [slot.schedule_id],
        "start": slot.start,
        "end": slot.end,
        "actor": manager.actor,
    }
    block_range(**times, reason="", now=NOW)
    assert came_free_of(slot) == [], "blocked"
    free_range(**times, now=NOW)


def _added(slot: Slot, manager: Acting) -> None:
    times = [(slot.end + timedelta(hours=1), slot.end + timedelta(hours=2))]
    add_slots(schedule=slot.schedule, times=times, actor=manager.actor, now=NOW)


def _switched_on(slot: Slot, manager: Acting) -> None:
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.FREE)
    diary = Schedule.objects.filter(pk=slot.schedule_id)
    diary.update(active=False)
    assert came_free_of(slot) == [], "switched off"
    diary.update(active=True)


def _open_again(slot: Slot, manager: Acting) -> None:
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.FREE)
    place = type(slot.service).objects.filter(pk=slot.service_id)
    place.update(active=False)
    assert came_free_of(slot) == [], "closed"
    place.update(active=True)


def came_free_of(slot: Slot) -> list[datetime]:
    entry = WaitingEntry.objects.get()
    assert entry.user is not None
    who = make_acting(role=Role.CLINICIAN, organisation=entry.organisation, user=entry.user)
    return [getattr(each, "free_at", NOW) for each in came_free(who, now=NOW)]


@pytest.mark.parametrize("act", [_cancelled, _freed, _added, _switched_on, _open_again])
def test_both_are_told_however_a_time_comes_free(
    desk: Desk, manager: Acting, act: Callable[[Slot, Acting], None]
) -> None:
    all_taken(desk)
    slot = desk.slots[2]
    look(desk)
    assert came_free_of(slot) == []
    assert waiting_list(manager, now=NOW, free_only=True).count() == 0
    act(slot, manager)
    assert len(came_free_of(slot)) == 1
    assert waiting_list(manager, now=NOW, free_only=True).count() == 1


@pytest.mark.parametrize(
    ("minutes", "lead", "is_free"),
    [(15, 0, True), (0, 0, True), (-15, 0, False), (15, 20, False), (60 * 24 * 3, 0, False)],
    ids=["soon", "now", "begun", "too late to book", "after what was wanted"],
)
def test_only_a_time_that_would_do_counts(desk: Desk, minutes: int, lead: int, is_free: bool) -> None:
    all_taken(desk)
    look(desk)
    Schedule.objects.filter(pk=desk.slots[0].schedule_id).update(lead_minutes=lead)
    make_slot(schedule=desk.slots[0].schedule, start=NOW + timedelta(minutes=minutes))
    assert came_free(desk.acting, now=NOW).exists() is is_free


def test_the_list_begins_anew_each_day(desk: Desk, manager: Acting) -> None:
    all_taken(desk)
    look(desk)
    for hours, count in ((14, 1), (16, 0)):
        assert waiting_list(manager, now=NOW + timedelta(hours=hours)).count() == count, "London's midnight"


@pytest.mark.parametrize(
    ("role", "where", "may"),
    [
        (Role.MANAGER, "service", True),
        (Role.CLINICIAN, "service", False),
        (Role.MANAGER, "elsewhere", False),
        (Role.CLINICIAN, "sender", False),
    ],
)
def test_who_may_take_somebody_off(desk: Desk, role: Role, where: str, may: bool) -> None:
    all_taken(desk)
    look(desk)
    entry = WaitingEntry.objects.get()
    check_can_close_waiting(desk.acting, entry)
    organisations = {"service": desk.service.provider, "sender": desk.acting.organisation}
    acting = make_acting(role=role, organisation=organisations.get(where) or make_organisation())
    if may:
        check_can_close_waiting(acting, entry)
    else:
        with pytest.raises(PolicyRefused):
            check_can_close_waiting(acting, entry)
        assert waiting_list(acting, now=NOW).count() == came_free(acting, now=NOW).count() == 0


def test_one_of_two_takes_it_off(desk: Desk, manager: Acting) -> None:
    all_taken(desk)
    look(desk, journey=case_of(desk))
    entry, same = WaitingEntry.objects.get(), WaitingEntry.objects.get()
    close_waiting(entry=entry, reason=Closing.OFFERED, acting=manager, now=NOW)
    with pytest.raises(PolicyRefused, match="already"):
        close_waiting(entry=same, reason=Closing.ELSEWHERE, acting=desk.acting, now=LATER)
    entry.refresh_from_db()
    assert (entry.closed_as, entry.closed_by, entry.closed_at) == (Closing.OFFERED, manager.user, NOW)
    event = AuditEvent.objects.get(action="bookings.close_waiting")
    assert same.journey is not None
    assert (event.detail, event.correlation_id) == ({"reason": "offered"}, same.journey.correlation_id)
    look(desk, journey=entry.journey, now=LATER)
    assert waiting_list(manager, now=LATER).count() == 1, "refused once more, it waits once more"
