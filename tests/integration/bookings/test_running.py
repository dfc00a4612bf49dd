"""What a service does with a booking that it received, and what who booked reads of it afterwards."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import items_for
from bars_portal.accounts.models import Membership
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import TransitionRefused
from bookings.mapping.sent import is_taken_back
from bookings.models import Booking, SenderCall, Slot, SlotStatus
from bookings.presenters.slots import appointment_rows, offered_in
from bookings.selectors.clinics import feed_of
from bookings.services.diaries import block_range, digest_of, make_feed, revoke_feed
from bookings.services.running import add_note, cancel_received, close_call, move_booking, record_attendance
from bookings.states import BookingStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, TOMORROW, make_schedule, make_slot
from tests.integration.bookings.official import CANCELLED, NEW, adapted, example, issue, send

pytestmark = pytest.mark.django_db
LATER = TOMORROW + timedelta(hours=2)


@pytest.fixture
def slot() -> Slot:
    return make_slot()


@pytest.fixture
def booking(slot: Slot, shared_dir: Path) -> Booking:
    """Received as the official example has it."""
    assert send(adapted(example(shared_dir, NEW), slot)).status == 200
    return Booking.objects.get()


@pytest.fixture
def manager(slot: Slot) -> Acting:
    return make_acting(role=Role.MANAGER, organisation=slot.service.provider)


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return found.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def dangling(booking: Booking) -> set[str]:
    """References to what does not go with it."""
    there = {url for url, _ in booking.included}
    return {each for each in references([booking.resource, booking.included]) if each not in there}


def test_moved_to_another_clinician(slot: Slot, booking: Booking, manager: Acting) -> None:
    before = dangling(booking)
    whose = {"practitioner_family": "Patel", "location_name": "Room 9"}
    other = make_slot(schedule=make_schedule(service=slot.service, name="Patel", **whose), start=LATER)
    moved = move_booking(booking=booking, slot_id=other.pk, reason="Dr ill", acting=manager, now=NOW)
    assert (moved.slot_id, moved.start, moved.version) == (other.pk, LATER, 2)
    assert [Slot.objects.get(pk=each.pk).status for each in (slot, other)] == ["free", "busy"]
    rows = {row["key"]: row["value"] for row in appointment_rows(moved)}
    assert (rows["With"], rows["Place"]) == ("Patel", "Room 9")
    assert moved.resource["meta"]["versionId"] == "2"
    assert dangling(moved) <= before, "nothing refers to what is gone"
    offer = offered_in(moved.included)
    assert offer is not None
    assert (offer.id, offer.start) == (str(other.pk), LATER)
    call = SenderCall.objects.get()
    assert "Moved from" in call.message
    assert call.closed_at is None
    assert ("calls to make", 1) in [(item.label, item.count) for item in items_for(manager, NOW)]


def test_only_a_free_time_of_the_same_service(slot: Slot, booking: Booking, manager: Acting) -> None:
    taken = make_slot(schedule=slot.schedule, start=LATER, status=SlotStatus.BUSY_UNAVAILABLE)
    off = make_slot(schedule=make_schedule(service=slot.service, active=False), start=LATER)
    over = make_slot(schedule=slot.schedule, start=NOW - timedelta(hours=1))
    for other in (taken, off, over, make_slot(start=LATER), slot):
        with pytest.raises(PolicyRefused):
            move_booking(booking=booking, slot_id=other.pk, reason="", acting=manager, now=NOW)
    booking.refresh_from_db()
    assert (booking.slot_id, booking.version) == (slot.pk, 1)


def test_the_sender_cancels_what_was_moved_by_what_they_read(
    slot: Slot, booking: Booking, manager: Acting, shared_dir: Path
) -> None:
    other = make_slot(schedule=slot.schedule, start=LATER)
    move_booking(booking=booking, slot_id=other.pk, reason="", acting=manager, now=NOW)
    assert issue(send(adapted(example(shared_dir, CANCELLED), slot)))[0] == 422, "they know an old time"
    assert send(adapted(example(shared_dir, CANCELLED), other)).status == 200
    other.refresh_from_db()
    assert other.status == SlotStatus.FREE


def test_cancelled_by_the_service(slot: Slot, booking: Booking, manager: Acting, shared_dir: Path) -> None:
    block_range(
        diaries=[slot.schedule_id],
        start=slot.start,
        end=slot.end,
        reason="",
        actor=manager.actor,
        now=NOW,
    )
    cancel_received(booking=booking, reason="The clinician is ill", acting=manager, now=NOW)
    booking.refresh_from_db()
    slot.refresh_from_db()
    assert (booking.status, slot.status) == (BookingStatus.CANCELLED, SlotStatus.BUSY_UNAVAILABLE)
    assert is_taken_back(booking.resource)
    assert booking.resource["cancelationReason"] == {"text": "The clinician is ill"}
    assert issue(send(adapted(example(shared_dir, CANCELLED), slot)))[0] == 422
    with pytest.raises(PolicyRefused):
        cancel_received(booking=booking, reason="Again", acting=manager, now=NOW)


def test_attended_or_not_once_its_time_has_come(booking: Booking, manager: Acting) -> None:
    with pytest.raises(PolicyRefused):
        record_attendance(booking=booking, attended=True, acting=manager, now=NOW)
    on_the_day = booking.start + timedelta(minutes=5)
    record_attendance(booking=booking, attended=True, acting=manager, now=on_the_day)
    with pytest.raises(TransitionRefused):
        record_attendance(booking=booking, attended=True, acting=manager, now=on_the_day)
    record_attendance(booking=booking, attended=False, acting=manager, now=on_the_day)
    add_note(booking=booking, text="Rang twice", acting=manager, now=on_the_day)
    steps = list(booking.changes.order_by("at", "id").values_list("event", "note"))
    assert steps[1:] == [("attend", ""), ("miss", ""), ("note", "Rang twice")]
    assert booking.resource["status"] == "booked", "nothing of that is on the wire"
    assert not SenderCall.objects.exists()


def test_a_call_is_closed_once(booking: Booking, manager: Acting) -> None:
    cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
    call = SenderCall.objects.get()
    close_call(call=call, spoke_to="Jo", acting=manager, now=NOW)
    with pytest.raises(PolicyRefused, match="colleague"):
        close_call(call=call, spoke_to="Sam", acting=manager, now=NOW)
    call.refresh_from_db()
    assert (call.spoke_to, call.closed_by) == ("Jo", manager.user)
    assert AuditEvent.objects.filter(action="bookings.close_call").count() == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGER] + [None])
def test_nobody_else_changes_it(booking: Booking, manager: Acting, role: Role | None) -> None:
    """Others of the organisation, and a manager of another one."""
    other = (
        make_acting(role=role, organisation=manager.organisation) if role else make_acting(role=Role.MANAGER)
    )
    acts: list[Any] = [
        lambda: move_booking(booking=booking, slot_id=UUID(int=0), reason="", acting=other, now=NOW),
        lambda: cancel_received(booking=booking, reason="Ill", acting=other, now=NOW),
        lambda: record_attendance(booking=booking, attended=True, acting=other, now=LATER),
        lambda: add_note(booking=booking, text="Note", acting=other, now=NOW),
        lambda: make_feed(service=booking.service, days=30, acting=other, now=NOW),
    ]
    for act in acts:
        with pytest.raises(PolicyRefused):
            act()


def test_a_calendar_reads_times_and_no_patient(
    booking: Booking, manager: Acting, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.views.diary.clock", lambda: NOW)
    secret = make_feed(service=booking.service, days=30, acting=manager, now=NOW)
    address = reverse("bookings:feed", query={"key": secret})
    answer = client.get(address)
    body = answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert f"SUMMARY:Booked {booking.reference}" in body
    assert "DTSTART:20261122T100000Z" in body
    for word in ("Chalmers", "9476719931", booking.description[:8]):
        assert word.lower() not in body.lower()
    assert client.get(reverse("bookings:feed")).status_code == 404
    assert client.get(f"{address}x").status_code == 404
    digest = digest_of(secret)
    assert feed_of(digest, now=NOW + timedelta(days=31)) is None
    found = feed_of(digest, now=NOW)
    assert found is not None
    mine = Membership.objects.filter(user=manager.user, organisation=manager.organisation)
    mine.update(role=Role.AUDITOR)
    assert client.get(address).status_code == 404, "who made it runs this diary no more"
    mine.update(role=Role.MANAGER)
    revoke_feed(feed=found, acting=manager, now=NOW)
    assert client.get(address).status_code == 404
    assert secret not in str(list(AuditEvent.objects.values_list("detail", flat=True)))
