"""What may not be booked now is neither offered nor taken: every reason, at every door."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bars_portal.accounts.permissions import Role
from bookings.models import Booking, Schedule, Slot, SlotStatus
from bookings.presenters.diary import diary_page
from bookings.selectors.slots import next_free_slots
from bookings.slots import SlotSearch, search_slots
from bookings.states import BookingStatus
from directory.models import HealthcareService
from directory.remote import sender_identity
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, TOMORROW, make_schedule, make_slot
from tests.integration.bookings.loopback import Loopback
from tests.integration.bookings.official import CANCELLED, NEW, adapted, example, issue, send

pytestmark = pytest.mark.django_db


def of_slot(**columns: object) -> Callable[[Slot], int]:
    return lambda slot: Slot.objects.filter(pk=slot.pk).update(**columns)


def of_diary(**columns: object) -> Callable[[Slot], int]:
    return lambda slot: Schedule.objects.filter(pk=slot.schedule_id).update(**columns)


def of_service(**columns: object) -> Callable[[Slot], int]:
    return lambda slot: HealthcareService.objects.filter(pk=slot.service_id).update(**columns)


# How it comes about, and what a booking is answered with.
REASONS = {
    "taken": (of_slot(status=SlotStatus.BUSY), (409, "conflict")),
    "blocked": (of_slot(status=SlotStatus.BUSY_UNAVAILABLE), (409, "conflict")),
    "diary not in use": (of_diary(active=False), (409, "conflict")),
    "service closed": (of_service(active=False), (409, "conflict")),
    "no bookings": (of_service(takes_bookings=False), (409, "conflict")),
    "over": (of_slot(start=NOW - timedelta(minutes=15), end=NOW), (409, "conflict")),
    "elsewhere": (of_service(hosted=False), (404, "not-found")),
}
reasons = pytest.mark.parametrize("reason", REASONS)


@pytest.fixture
def slot() -> Slot:
    return make_slot()


def spoilt(slot: Slot, reason: str) -> tuple[int, str]:
    change, answer = REASONS[reason]
    assert change(slot) == 1
    slot.refresh_from_db()
    return answer


def found(slot: Slot) -> SlotSearch:
    """What a sender is offered that knows nothing of the change: asked over the wire."""
    return search_slots(
        Loopback().client,
        service=slot.service,
        start=NOW - timedelta(days=1),
        end=TOMORROW + timedelta(days=1),
        sender=sender_identity(make_acting()),
        now=NOW,
    )


def test_what_may_be_booked_is_offered_and_taken(slot: Slot, shared_dir: Path) -> None:
    assert [each.id for each in found(slot).offers] == [str(slot.pk)]
    assert next_free_slots(NOW) == {slot.service_id: slot.start}
    assert send(adapted(example(shared_dir, NEW), slot)).status == 200


@reasons
def test_it_is_not_offered(slot: Slot, reason: str) -> None:
    spoilt(slot, reason)
    assert found(slot).offers == []
    assert next_free_slots(NOW) == {}


@reasons
def test_it_is_not_taken(slot: Slot, shared_dir: Path, reason: str) -> None:
    expected, before = spoilt(slot, reason), slot.status
    assert issue(send(adapted(example(shared_dir, NEW), slot))) == expected
    assert not Booking.objects.exists()
    slot.refresh_from_db()
    assert slot.status == before


@pytest.mark.parametrize("reason", ["diary not in use", "service closed", "no bookings"])
def test_what_was_booked_before_can_be_taken_back(slot: Slot, shared_dir: Path, reason: str) -> None:
    assert send(adapted(example(shared_dir, NEW), slot)).status == 200
    spoilt(slot, reason)
    assert send(adapted(example(shared_dir, CANCELLED), slot)).status == 200
    assert Booking.objects.get().status == BookingStatus.CANCELLED
    assert found(slot).offers == []


def test_a_referral_to_a_closed_service_is_not_found(slot: Slot, shared_dir: Path) -> None:
    spoilt(slot, "service closed")
    name = next((shared_dir / "fhir" / "examples").glob("REFREQ01*.json")).name
    bundle = example(shared_dir, name)
    header = bundle["entry"][0]["resource"]
    header["destination"][0]["endpoint"] = f"https://fhir.nhs.uk/Id/dos-service-id|{slot.service.service_id}"
    assert issue(send({**bundle, "id": str(uuid4())})) == (404, "not-found")


def test_the_slots_of_other_diaries_stay_on_offer(slot: Slot) -> None:
    spoilt(slot, "diary not in use")
    other = make_slot(schedule=make_schedule(service=slot.service, name="Room 2"))
    assert [each.id for each in found(slot).offers] == [str(other.pk)]
    assert next_free_slots(NOW) == {slot.service_id: other.start}


@pytest.mark.parametrize("reason", ["diary not in use", "service closed", "no bookings"])
def test_staff_read_in_the_diary_that_it_is_not_offered(slot: Slot, reason: str) -> None:
    manager = make_acting(role=Role.MANAGER, organisation=slot.service.provider)
    shown = diary_page(service=slot.service, day=TOMORROW.date(), acting=manager)
    assert ([line.status for line in shown.lines], shown.free) == (["Free"], 1)
    spoilt(slot, reason)
    shown = diary_page(service=slot.service, day=TOMORROW.date(), acting=manager)
    assert ([line.status for line in shown.lines], shown.free) == (["Not offered"], 0)
