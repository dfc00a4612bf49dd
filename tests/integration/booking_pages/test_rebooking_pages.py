"""Where a rebooking ends, its one task, and that nothing half done is hidden."""

from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.home import items_for
from bars_portal.audit.models import AuditEvent
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.history import mark_patient_told
from bookings.states import BookingStatus
from tests.factories.bookings import NOW, make_booking
from tests.integration.booking_pages.conftest import Office
from tests.integration.bookings.loopback import Fault, refusing, timeout
from tests.integration.wire import connected
from tests.worlds import Kept, Worlds

WHY = {"reason": "patient", "reassessed": "not-called"}
TASK = "I have told the patient"


def page(office: Office, booking: Booking) -> str:
    address = reverse("bookings:detail", args=[booking.pk])
    return unescape(" ".join(office.client.get(address).content.decode().split()))


def address_of(booking: Booking) -> str:
    return reverse("bookings:detail", args=[booking.pk])


def new_time(office: Office, old: Booking, position: int = 1) -> str:
    """Another time is chosen; the address of the page that asks whether to go on."""
    chosen = office.client.post(f"{office.times_page}?instead={old.pk}", {"slot": office.chosen(position)})
    return str(chosen["Location"])


@dataclass
class Asked:
    """An appointment for which another time was asked: its cancellation is on its way."""

    office: Office
    old: Booking


@pytest.fixture(scope="module")
def kept_asked(worlds: Worlds, kept_office: Kept[Office], kept_booking: Kept[Booking]) -> Kept[Asked]:
    def make() -> Asked:
        old = kept_booking.original()
        with connected() as network:
            office = replace(kept_office.original(), network=network)
            sent = office.client.post(new_time(office, old), WHY)
        assert sent["Location"] == address_of(old), "the answer has not come yet"
        return Asked(office, old)

    return worlds.keep("kept_asked", make)


@pytest.fixture
def asked(kept_asked: Kept[Asked], office: Office) -> Asked:
    asked = kept_asked.copy()
    asked.office = office
    return asked


def rebook(asked: Asked, *faults: Fault) -> tuple[Booking, Booking | None]:
    """`faults` spoil the messages after the cancellation."""
    office, old = asked.office, asked.old
    # The cancellation is answered as it is.
    office.network.before += [office.network._receiver, *faults] if faults else []
    office.network.deliver_all()
    old.refresh_from_db()
    return old, Rebooking.objects.get(cancelled=old).booked


def to_tell(office: Office) -> int:
    items = items_for(office.acting, office.network.now)
    return next((item.count for item in items if item.label == "patients to tell"), 0)


def test_it_ends_on_the_new_appointment_with_one_task(office: Office, asked: Asked) -> None:
    old, new = rebook(asked)
    assert new is not None
    waiting = reverse("bookings:status", args=[old.pk])
    assert office.client.get(waiting).headers["HX-Redirect"] == address_of(new)
    assert office.client.get(f"{waiting}?open=1")["Location"] == address_of(new), "without JavaScript"
    shown = page(office, new)
    assert "The old appointment is cancelled. The new one is booked." in shown
    assert "Tell the patient both" in shown
    assert "is cancelled." in shown.partition("Tell the patient both")[2]
    assert shown.count(TASK) == 1
    before = page(office, old)
    assert TASK not in before
    assert "there is one task for both appointments" in before
    assert address_of(new) in before
    assert to_tell(office) == 1
    office.client.post(reverse("bookings:told", args=[new.pk]))
    for each in (old, new):
        assert "The patient was told on" in page(office, each)
        assert TASK not in page(office, each)
    assert to_tell(office) == 0
    assert AuditEvent.objects.filter(action="bookings.mark_patient_told").count() == 2


@pytest.mark.parametrize(
    ("fault", "loud"),
    [
        (
            refusing(409, "REC_CONFLICT", "conflict"),
            "The new one was NOT booked: the patient has no appointment",
        ),
        (timeout, "It is not known whether the new one was booked"),
    ],
    ids=["refused", "not-known"],
)
def test_what_is_half_done_is_said_where_it_ends(
    office: Office, asked: Asked, fault: Fault, loud: str
) -> None:
    old, new = rebook(asked, fault)
    assert new is not None
    assert new.status in (BookingStatus.REFUSED, BookingStatus.UNKNOWN)
    assert office.client.get(reverse("bookings:status", args=[old.pk]), {"open": "1"})["Location"] == (
        address_of(new)
    )
    for each in (old, new):
        assert loud in page(office, each)
    assert TASK in page(office, old), "that it is cancelled can be told at once"
    assert TASK not in page(office, new)
    assert to_tell(office) == 1
    if new.status == BookingStatus.REFUSED:
        assert page(office, new).partition("What happened")[0].count(new.explanation) == 1


def half_rebooked(office: Office) -> int:
    items = items_for(office.acting, office.network.now)
    return next((item.count for item in items if item.label == "rebookings without a new appointment"), 0)


def test_what_nobody_wants_any_more_is_counted_no_more(office: Office, asked: Asked) -> None:
    old, new = rebook(asked, refusing(409, "REC_CONFLICT", "conflict"))
    assert new is not None
    assert half_rebooked(office) == 1
    end = reverse("bookings:no-longer-wanted", args=[old.pk])
    for each in (old, new):
        assert end in page(office, each)
    assert office.client.post(end)["Location"] == address_of(old)
    for each in (old, new):
        shown = page(office, each)
        assert "none is wanted any more" in shown
        assert end not in shown
    (step,) = old.changes.filter(event="end-rebooking")
    assert (step.actor_label, step.at) == (office.acting.actor.label, Rebooking.objects.get().ended_at)
    assert "No new appointment is wanted any more" in page(office, old).partition("What happened")[2]
    assert (half_rebooked(office), to_tell(office)) == (0, 1), "that it is cancelled has still to be told"
    office.client.post(end)
    assert old.changes.filter(event="end-rebooking").count() == 1


def test_who_ended_it_may_think_better_of_it(office: Office, asked: Asked) -> None:
    old, _ = rebook(asked, refusing(409, "REC_CONFLICT", "conflict"))
    office.client.post(reverse("bookings:no-longer-wanted", args=[old.pk]))
    office.client.post(new_time(office, old, 2))
    office.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    office.network.deliver_all()
    assert half_rebooked(office) == 1


def test_what_has_its_new_appointment_is_not_ended(office: Office, asked: Asked) -> None:
    old, new = rebook(asked)
    office.client.post(reverse("bookings:no-longer-wanted", args=[old.pk]))
    plan = Rebooking.objects.get()
    assert (plan.ended_at, plan.booked) == (None, new)
    assert not old.changes.filter(event="end-rebooking").exists()


def test_told_of_the_old_one_before_leaves_the_new_one_to_tell(office: Office, asked: Asked) -> None:
    old, new = rebook(asked, timeout)
    assert new is not None
    office.client.post(reverse("bookings:told", args=[old.pk]))
    office.client.post(reverse("bookings:check-again", args=[new.pk]))
    office.network.deliver_all()
    shown = page(office, new)
    assert TASK in shown
    assert "Tell the patient both" not in shown
    assert to_tell(office) == 1


def test_several_rebookings_are_one_task(office: Office) -> None:
    ours, patient = office.acting.organisation, office.booked().patient
    Booking.objects.update(patient_told_at=NOW)
    first, second, third = (
        make_booking(organisation=ours, patient=patient, status=status)
        for status in (BookingStatus.CANCELLED, BookingStatus.CANCELLED, BookingStatus.BOOKED)
    )
    Rebooking.objects.create(cancelled=first, booked=second, started_at=NOW)
    Rebooking.objects.create(cancelled=second, booked=third, started_at=NOW)
    assert [TASK in page(office, each) for each in (first, second, third)] == [False, False, True]
    assert to_tell(office) == 1
    mark_patient_told(booking=third, acting=office.acting, now=NOW)
    assert not Booking.objects.filter(patient_told_at=None, direction="sent").exists()


def test_told_of_the_new_one_alone_leaves_the_old_one_to_tell(office: Office, asked: Asked) -> None:
    """As of rows from before there was one task."""
    old, new = rebook(asked)
    assert new is not None
    Booking.objects.filter(pk=new.pk).update(patient_told_at=NOW)
    assert TASK in page(office, old)
    assert to_tell(office) == 1


# Pages of a draft that was sent.


def draft_pages(office: Office, draft_id: Any) -> dict[str, str]:
    named = ("patient", "check", "approval", "rebook-confirm", "discard")
    pages = {name: reverse(f"bookings:{name}", args=[draft_id]) for name in named}
    return {**pages, "times": f"{office.times_page}?draft={draft_id}"}


NAMES = ("patient", "check", "approval", "rebook-confirm", "discard", "times")


@pytest.mark.parametrize("name", NAMES)
def test_back_to_a_rebooking_under_way_leads_to_its_booking(office: Office, asked: Asked, name: str) -> None:
    draft_id, old = BookingDraft.objects.get().pk, asked.old
    address = draft_pages(office, draft_id)[name]
    if name != "discard":
        assert office.client.get(address)["Location"] == address_of(old)
    assert office.client.post(address, {"slot": office.chosen(2)})["Location"] == address_of(old)
    assert BookingDraft.objects.filter(pk=draft_id).exists(), "the new appointment is still booked"
    office.network.deliver_all()
    new = Booking.objects.get(draft_id=draft_id)
    assert new.remote_slot_id == str(office.slots[1].pk)
    assert office.client.post(address, {"slot": office.chosen(2)})["Location"] == address_of(new)


def test_no_times_are_offered_for_what_has_a_new_one_already(office: Office, asked: Asked) -> None:
    old, new = rebook(asked)
    assert new is not None
    response = office.client.get(f"{office.times_page}?instead={old.pk}")
    assert response["Location"] == address_of(new)
    assert "already asked for in its place" in page(office, new)
