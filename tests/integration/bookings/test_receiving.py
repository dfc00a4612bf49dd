"""Booking messages of other senders: the official examples, and everything that must be refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.transport.headers import Party
from bars_portal.patients.models import Journey, Patient
from bookings.models import Booking, BookingStatusChange, Slot, SlotStatus
from bookings.services import receiving
from bookings.states import BookingStatus
from tests.factories.bookings import NOW, make_schedule, make_slot
from tests.integration.bookings.official import (
    CANCELLED,
    NEW,
    SENDER,
    Bundle,
    adapted,
    example,
    issue,
    of_type,
    send,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot() -> Slot:
    return make_slot()


@pytest.fixture
def new(shared_dir: Path, slot: Slot) -> Bundle:
    return adapted(example(shared_dir, NEW), slot)


@pytest.fixture
def cancel(shared_dir: Path, slot: Slot) -> Bundle:
    return adapted(example(shared_dir, CANCELLED), slot)


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Booking, Patient, Journey, BookingStatusChange))


def test_the_official_booking_is_taken(new: Bundle, slot: Slot) -> None:
    correlation_id = uuid4()
    reply = send(new, correlation_id=correlation_id)
    assert reply.status == 200, reply.body
    answer = json.loads(reply.body)
    assert answer["id"] == new["id"]
    assert [each["fullUrl"] for each in answer["entry"]] == [each["fullUrl"] for each in new["entry"]]
    booking = Booking.objects.get()
    appointment = of_type(answer, "Appointment")
    assert appointment["id"] == str(booking.pk)
    assert appointment["status"] == "booked"
    assert appointment["meta"]["versionId"] == "1"
    assert appointment["identifier"][0]["value"] == booking.reference
    assert (
        appointment["created"] == appointment["meta"]["lastUpdated"] != of_type(new, "Appointment")["created"]
    )
    taken = of_type(answer, "Slot")
    assert (taken["id"], taken["status"]) == (str(slot.pk), "busy")
    for entry in answer["entry"]:
        assert UUID(entry["resource"]["id"]) != UUID(entry["fullUrl"].removeprefix("urn:uuid:"))
    slot.refresh_from_db()
    assert slot.status == SlotStatus.BUSY
    assert (booking.patient.family_name, booking.patient.nhs_number) == ("Chalmers", "9476719931")
    assert booking.journey.correlation_id == correlation_id
    assert booking.description == "Reason for calling-"
    assert AuditEvent.objects.filter(action="bookings.receive", subject_id=str(booking.pk)).exists()


def test_a_second_booking_of_the_slot_is_a_conflict(new: Bundle) -> None:
    send(new)
    before = counts()
    assert issue(send({**new, "id": str(uuid4())})) == (409, "conflict")
    assert counts() == before


def test_the_same_request_again_is_a_duplicate(new: Bundle) -> None:
    request_id = uuid4()
    send(new, request_id=request_id)
    assert issue(send(new, request_id=request_id)) == (409, "duplicate")


def test_the_official_cancel_ends_it_and_frees_the_slot(new: Bundle, cancel: Bundle, slot: Slot) -> None:
    send(new)
    reply = send(cancel)
    assert reply.status == 200, reply.body
    booking = Booking.objects.get()
    slot.refresh_from_db()
    assert (booking.status, booking.version, slot.status) == (BookingStatus.CANCELLED, 2, SlotStatus.FREE)
    answered = of_type(json.loads(reply.body), "Appointment")
    assert (answered["id"], answered["status"]) == (str(booking.pk), "cancelled")
    assert booking.resource["status"] == "cancelled"
    assert booking.resource["slot"], "what was sent at first is still there"
    assert send({**new, "id": str(uuid4())}).status == 200, "the slot can be booked again"


def test_entered_in_error_ends_it_too(new: Bundle, cancel: Bundle, slot: Slot) -> None:
    send(new)
    of_type(cancel, "Appointment")["status"] = "entered-in-error"
    assert send(cancel).status == 200
    slot.refresh_from_db()
    assert Booking.objects.get().status == BookingStatus.ENTERED_IN_ERROR
    assert slot.status == SlotStatus.FREE


@pytest.mark.parametrize("reason", ["new", "update"])
def test_a_cancel_may_name_our_id(new: Bundle, cancel: Bundle, reason: str) -> None:
    send(new)
    booking = Booking.objects.get()
    of_type(cancel, "MessageHeader")["reason"]["coding"][0]["code"] = reason
    appointment = of_type(cancel, "Appointment")
    appointment["id"] = str(booking.pk)
    _rename_focus(cancel, f"urn:uuid:{uuid4()}")
    assert send(cancel).status == 200


def test_a_cancel_may_name_our_id_as_its_full_url(new: Bundle, cancel: Bundle) -> None:
    send(new)
    _rename_focus(cancel, f"urn:uuid:{Booking.objects.get().pk}")
    assert send(cancel).status == 200


def _rename_focus(bundle: Bundle, url: str) -> None:
    of_type(bundle, "MessageHeader")["focus"][0]["reference"] = url
    entry = next(each for each in bundle["entry"] if each["resource"]["resourceType"] == "Appointment")
    entry["fullUrl"] = url


def test_one_full_url_for_two_bookings_is_told_by_its_times(
    shared_dir: Path, new: Bundle, slot: Slot
) -> None:
    other = make_slot(schedule=slot.schedule, start=slot.end)
    send(new)
    send(adapted(example(shared_dir, NEW), other))
    assert send(adapted(example(shared_dir, CANCELLED), other)).status == 200
    assert Booking.objects.get(slot=other).status == BookingStatus.CANCELLED
    assert Booking.objects.get(slot=slot).status == BookingStatus.BOOKED


def _earlier(bundle: Bundle) -> None:
    of_type(bundle, "Appointment")["meta"]["lastUpdated"] = "2020-01-01T00:00:00+00:00"


def _other_times(bundle: Bundle) -> None:
    appointment = of_type(bundle, "Appointment")
    appointment["start"] = format_instant(NOW + timedelta(days=2))
    appointment["end"] = format_instant(NOW + timedelta(days=2, minutes=15))


def _other_patient(bundle: Bundle) -> None:
    of_type(bundle, "Patient")["identifier"][0]["value"] = "9449306621"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_earlier, (409, "conflict")),
        (_other_times, (422, "processing")),
        (_other_patient, (422, "processing")),
    ],
)
def test_a_cancel_that_does_not_fit_changes_nothing(
    new: Bundle, cancel: Bundle, spoil: Callable[[Bundle], None], expected: tuple[int, str]
) -> None:
    send(new)
    spoil(cancel)
    assert issue(send(cancel)) == expected
    assert Booking.objects.get().status == BookingStatus.BOOKED
    assert Slot.objects.get().status == SlotStatus.BUSY


def test_an_unknown_booking_cannot_be_cancelled(cancel: Bundle) -> None:
    assert issue(send(cancel)) == (404, "not-found")


def test_what_is_over_cannot_be_cancelled_again(new: Bundle, cancel: Bundle) -> None:
    send(new)
    send(cancel)
    assert issue(send({**cancel, "id": str(uuid4())})) == (422, "processing")


def test_a_stranger_cannot_cancel(new: Bundle, cancel: Bundle) -> None:
    send(new)
    booking = Booking.objects.get()
    of_type(cancel, "Appointment")["id"] = str(booking.pk)
    of_type(cancel, "MessageHeader")["source"]["endpoint"] = "https://fhir.nhs.uk/Id/dos-service-id|999"
    assert issue(send(cancel, organisation=Party("OTHER", "Somebody else"))) == (401, "forbidden")
    assert issue(send(cancel, organisation=None)) == (401, "forbidden")
    assert send(cancel, organisation=SENDER).status == 200, "another service of the same organisation may"


def _unknown_slot(bundle: Bundle) -> None:
    of_type(bundle, "Slot")["id"] = str(uuid4())


@pytest.mark.parametrize(
    ("spoil", "expected"), [(_unknown_slot, (404, "not-found")), (_other_times, (422, "processing"))]
)
def test_a_booking_that_does_not_fit_leaves_nothing(
    new: Bundle, spoil: Callable[[Bundle], None], expected: tuple[int, str]
) -> None:
    spoil(new)
    assert issue(send(new)) == expected
    assert counts() == (0, 0, 0, 0)
    assert Slot.objects.get().status == SlotStatus.FREE


def test_a_slot_of_another_service_is_unknown(new: Bundle) -> None:
    of_type(new, "Slot")["id"] = str(make_slot(schedule=make_schedule()).pk)
    assert issue(send(new)) == (404, "not-found")


def test_a_slot_that_is_over_is_not_booked(shared_dir: Path, slot: Slot) -> None:
    past = make_slot(schedule=slot.schedule, start=NOW - timedelta(hours=1))
    # Not to be had now, like any other that is not free: 422 is for what contradicts the diary.
    assert issue(send(adapted(example(shared_dir, NEW), past))) == (409, "conflict")


@pytest.mark.parametrize("status", [SlotStatus.BUSY_UNAVAILABLE, SlotStatus.BUSY])
def test_a_slot_that_is_not_free_is_a_conflict(new: Bundle, slot: Slot, status: SlotStatus) -> None:
    Slot.objects.update(status=status)
    assert issue(send(new)) == (409, "conflict")


def test_the_same_moment_in_another_offset_is_the_same(new: Bundle, slot: Slot) -> None:
    appointment = of_type(new, "Appointment")
    appointment["start"] = slot.start.strftime("%Y-%m-%dT%H:%M:%SZ")
    appointment["end"] = (slot.end + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S+05:00")
    assert send(new).status == 200
    assert Booking.objects.get().resource["end"].endswith("+05:00"), "kept as it was sent"


def test_the_slot_may_be_named_without_being_there_by_id(new: Bundle, slot: Slot) -> None:
    of_type(new, "Appointment")["slot"] = [{"reference": f"Slot/{slot.pk}"}]
    assert send(new).status == 200


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE bookings_booking; --", "<script>alert(1)</script>", "é" * 3000]
)
def test_hostile_words_are_only_words(new: Bundle, text: str) -> None:
    patient: dict[str, Any] = of_type(new, "Patient")
    patient["name"] = [{"family": text, "given": [text], "text": text}]
    of_type(new, "Appointment")["description"] = text
    assert send(new).status == 200
    booking = Booking.objects.get()
    assert booking.resource["description"] == text
    assert len(booking.description) <= 500


def test_references_are_tried_until_one_is_free(
    new: Bundle, shared_dir: Path, slot: Slot, monkeypatch: Any
) -> None:
    said = iter(["RIV-1111-11", "RIV-1111-11", "RIV-2222-22"])
    monkeypatch.setattr(receiving, "new_reference", lambda _: next(said))
    other = make_slot(schedule=slot.schedule, start=slot.end)
    send(new)
    assert send(adapted(example(shared_dir, NEW), other)).status == 200
    assert set(Booking.objects.values_list("reference", flat=True)) == {"RIV-1111-11", "RIV-2222-22"}


def test_few_statements(new: Bundle) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert send(new).status == 200
    assert len(captured.captured_queries) <= 26, [each["sql"][:90] for each in captured.captured_queries]
