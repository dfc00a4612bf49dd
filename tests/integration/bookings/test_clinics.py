"""Clinics: what a plan makes, keeps and withdraws; undone, switched off, filled ahead; and who may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bookings.models import ClinicRun, DiaryBlock, Slot, SlotStatus, Standing
from bookings.models.plan import Session
from bookings.selectors.clinics import booked_outside, is_behind, plan_change, seen_at, troubled_clinics
from bookings.services.clinics import apply_plan, fill_clinics, last_run, switch, undo_run
from bookings.services.diaries import block_range, block_slots, free_range
from bookings.services.running import cancel_received
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_service
from tests.integration.bookings.running import (
    BASE,
    NOW,
    WEEK,
    applied,
    book,
    bookable,
    check_diaries,
    diaries_of,
    hours,
    undone,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(db: None) -> Acting:
    return make_acting(role=Role.MANAGER)


@pytest.fixture
def service(manager: Acting) -> HealthcareService:
    return make_service(provider=manager.organisation)


def test_what_is_booked_stays_and_leaves_when_it_is_not(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    first, second = clinic.lanes.get().slots.order_by("start")[:2]
    booking = book(first, NOW)
    other = replace(BASE, sessions=(Session(WEEK, hours("09:15", "11:00")),))
    applied(manager, service, other, NOW, clinic)
    assert [each.pk for each in booked_outside(clinic, now=NOW)] == [booking and booking.pk]
    clinic.refresh_from_db()
    assert clinic.left_out == 1
    second.refresh_from_db()
    assert second.status == SlotStatus.WITHDRAWN
    assert [each.pk for each in troubled_clinics(manager, now=NOW)] == [clinic.pk]
    assert booking is not None
    cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
    first.refresh_from_db()
    assert first.status == SlotStatus.WITHDRAWN, "the plan has no place for it"
    check_diaries(NOW)


def test_a_yes_counts_for_what_was_shown(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    other = replace(BASE, slot_minutes=20)
    shown = seen_at(plan_change(other, diaries=diaries_of(clinic), from_day=NOW.date(), now=NOW), NOW)
    given: dict[str, Any] = {"service": service, "clinic": clinic, "plan": other, "seen": shown}
    given["from_day"] = NOW.date()
    assert book(clinic.lanes.get().slots.order_by("start")[1], NOW)
    with pytest.raises(PolicyRefused, match="meanwhile"):
        apply_plan(**given, acting=manager, now=NOW)
    assert ClinicRun.objects.count() == 1
    for spoilt in ("", "nonsense|1", shown.split("|")[0]):
        with pytest.raises(PolicyRefused):
            apply_plan(**given | {"seen": spoilt}, acting=manager, now=NOW)


def test_time_that_passes_is_no_change(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    other = replace(BASE, slot_minutes=20)
    shown = seen_at(plan_change(other, diaries=diaries_of(clinic), from_day=NOW.date(), now=NOW), NOW)
    later = NOW + timedelta(hours=3, minutes=10)
    given: dict[str, Any] = {"clinic": clinic, "plan": other, "from_day": NOW.date(), "seen": shown}
    run = apply_plan(service=service, acting=manager, now=later, **given)
    assert clinic.lanes.get().slots.filter(start__lt=later, status=SlotStatus.WITHDRAWN).count() == 0
    assert run.made < 18
    check_diaries(later)


def test_undo_goes_back_one_change_at_a_time(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    applied(manager, service, replace(BASE, name="Other", slot_minutes=20, lanes=2), NOW, clinic)
    first = ClinicRun.objects.order_by("at", "id")[0]
    with pytest.raises(PolicyRefused, match="last"):
        undo_run(run=first, seen="", acting=manager, now=NOW)
    undone(clinic, manager, NOW)
    clinic.refresh_from_db()
    assert (clinic.name, [each.active for each in clinic.lanes.order_by("lane")]) == ("Clinic", [True, False])
    undone(clinic, manager, NOW)
    clinic.refresh_from_db()
    assert not clinic.active
    assert bookable(NOW) == set()
    assert last_run(clinic) is None
    check_diaries(NOW)


def test_switched_off_it_takes_nobody_and_keeps_who_comes(
    manager: Acting, service: HealthcareService
) -> None:
    clinic = applied(manager, service, BASE, NOW)
    first, second = clinic.lanes.get().slots.order_by("start")[:2]
    assert book(first, NOW)
    switch(clinic=clinic, on=False, acting=manager, now=NOW)
    assert book(second, NOW) is None
    clinic.refresh_from_db()
    assert booked_outside(clinic, now=NOW).count() == 1
    assert fill_clinics(now=NOW + timedelta(days=2)) == 0
    switch(clinic=clinic, on=True, acting=manager, now=NOW)
    assert book(second, NOW)
    assert fill_clinics(now=NOW + timedelta(days=2)) == 4, "no slot on the bank holidays, 25 and 28 December"


def test_a_slot_is_not_booked_too_late(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, replace(BASE, lead_minutes=60), NOW)
    first = clinic.lanes.get().slots.order_by("start")[0]
    assert first.pk in bookable(first.start - timedelta(hours=1))
    assert first.pk not in bookable(first.start - timedelta(minutes=59))
    assert book(first, first.start - timedelta(minutes=59)) is None


def test_who_is_behind_is_told(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    assert not is_behind(clinic, now=NOW + timedelta(days=1))
    assert is_behind(clinic, now=NOW + timedelta(days=2))
    ended = replace(BASE, last_day=NOW.date())
    applied(manager, service, ended, NOW, clinic)
    clinic.refresh_from_db()
    assert not is_behind(clinic, now=NOW + timedelta(days=9)), "it has ended"


def test_what_had_no_slot_gets_one_once_nothing_is_in_the_way(
    manager: Acting, service: HealthcareService
) -> None:
    clinic = applied(manager, service, BASE, NOW)
    booking = book(clinic.lanes.get().slots.order_by("start")[0], NOW)
    assert booking is not None
    later = replace(BASE, sessions=(Session(WEEK, hours("09:15", "11:00")),))
    applied(manager, service, later, NOW, clinic)
    assert (fill_clinics(now=NOW), len(troubled_clinics(manager, now=NOW))) == (0, 1)
    cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
    assert (fill_clinics(now=NOW), troubled_clinics(manager, now=NOW)) == (1, [])
    check_diaries(NOW)


def test_what_is_past_is_missed_no_more(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, replace(BASE, last_day=NOW.date()), NOW)
    assert book(clinic.lanes.get().slots.order_by("start")[0], NOW)
    ended = replace(BASE, sessions=(Session(WEEK, hours("09:15", "11:00")),), last_day=NOW.date())
    applied(manager, service, ended, NOW, clinic)
    assert troubled_clinics(manager, now=NOW) == [clinic]
    tomorrow = NOW + timedelta(days=1)
    assert (fill_clinics(now=tomorrow), troubled_clinics(manager, now=tomorrow)) == (0, [])


def test_days_before_a_change_are_left_as_they_were(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    lane, tomorrow = clinic.lanes.get(), NOW.date() + timedelta(days=1)
    assert book(lane.slots.filter(start__date=tomorrow).order_by("start")[0], NOW)
    longer = replace(BASE, sessions=(Session(WEEK, hours("09:15", "12:00")),))
    applied(manager, service, longer, NOW, clinic, from_day=tomorrow)
    clinic.refresh_from_db()
    assert clinic.left_out == 1
    assert fill_clinics(now=NOW) == 0
    assert lane.slots.filter(start__date=NOW.date()).count() == 4, "11:00 to 12:00 is of the later plan"


def test_a_block_holds_for_slots_that_are_made_later(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    lane = clinic.lanes.get()
    start = NOW.replace(hour=9, minute=30)
    given: dict[str, Any] = {"diaries": [lane.pk], "actor": manager.actor, "now": NOW}
    block_range(**given, start=start, end=start + timedelta(days=2, hours=1), reason="Training")
    applied(manager, service, replace(BASE, slot_minutes=20, horizon_days=3), NOW, clinic)
    fill_clinics(now=NOW + timedelta(days=1))
    free = lane.slots.filter(status=SlotStatus.FREE, start__lt=start + timedelta(days=2))
    assert [each.start.minute for each in free] == [0], "that ends before the block begins"
    # Freed in the middle, the block stands on both sides.
    assert free_range(**given, start=start, end=start + timedelta(hours=4)) == 5
    assert DiaryBlock.objects.filter(ended_at=None).count() == 1
    check_diaries(NOW)


def test_what_the_old_way_blocks_is_kept_by_a_plan_too(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    slots = list(clinic.lanes.get().slots.order_by("start")[:2])
    block_slots(slot_ids=[each.pk for each in slots], actor=manager.actor, now=NOW)
    applied(manager, service, replace(BASE, slot_minutes=20), NOW, clinic)
    assert Slot.objects.filter(pk__in=bookable(NOW), start__lt=slots[1].end).count() == 0
    check_diaries(NOW)


def test_a_diary_becomes_a_clinic_with_what_is_booked_in_it(
    manager: Acting, service: HealthcareService
) -> None:
    diary = make_schedule(service=service)
    slot = make_slot(schedule=diary, start=NOW.replace(hour=9), minutes=30)
    off = make_slot(schedule=diary, start=NOW.replace(hour=10, minute=10), minutes=30)
    assert book(slot, NOW)
    assert book(off, NOW)
    clinic = applied(manager, service, BASE, NOW, adopts=diary, diaries=[diary])
    assert clinic.lanes.get() == diary
    slot.refresh_from_db()
    off.refresh_from_db()
    assert (slot.standing, off.standing) == (Standing.PLANNED, Standing.LEAVING)
    with pytest.raises(PolicyRefused):
        applied(manager, service, BASE, NOW, adopts=diary, diaries=[diary])
    check_diaries(NOW)


def test_the_database_keeps_what_is_booked(manager: Acting, service: HealthcareService) -> None:
    slot = applied(manager, service, BASE, NOW).lanes.get().slots.order_by("start")[0]
    assert book(slot, NOW)
    for change in ({"status": SlotStatus.FREE}, {"start": slot.start - timedelta(minutes=5)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Slot.objects.filter(pk=slot.pk).update(**change)
    gone = make_slot(schedule=make_schedule(service=service), status=SlotStatus.WITHDRAWN)
    make_slot(schedule=gone.schedule, start=gone.start)
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.filter(pk=gone.pk).update(status=SlotStatus.FREE)


def test_strangers_change_nothing(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    for other in (
        make_acting(role=Role.MANAGER),
        make_acting(role=Role.CLERK, organisation=service.provider),
    ):
        with pytest.raises(PolicyRefused):
            applied(other, service, replace(BASE, slot_minutes=20), NOW, clinic)
        with pytest.raises(PolicyRefused):
            switch(clinic=clinic, on=False, acting=other, now=NOW)
    assert ClinicRun.objects.count() == 1
