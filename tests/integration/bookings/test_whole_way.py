"""Book, cancel and rebook through the wire, both sides in one database."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from bars_portal.correspondence.latest import Latest, LatestState
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir import json
from bars_portal.exchange.models import OutboundMessage
from bookings.latest import read_latest
from bookings.models import Booking, Rebooking, Slot, SlotStatus
from bookings.presenters.bookings import RebookingState, rebooking_state
from bookings.services.cancelling import request_cancel, start_rebooking
from bookings.services.settling import check_again
from bookings.states import BookingStatus
from directory.remote import sender_identity
from tests.factories.bookings import NOW
from tests.factories.patients import DETAILS
from tests.integration.bookings.conftest import OWN_SERVICE_ID, Desk
from tests.integration.bookings.loopback import Fault, answering, refusing, timeout


def received() -> Booking:
    return Booking.objects.get(direction=Direction.RECEIVED)


def latest(desk: Desk, booking: Booking) -> Latest:
    return read_latest(desk.network.client, booking=booking, sender=sender_identity(desk.acting), now=NOW)


def cancel(desk: Desk, booking: Booking) -> Booking:
    return request_cancel(
        booking=booking, latest=latest(desk, booking), reason="pat", acting=desk.acting, now=NOW
    )


def test_slots_arrive_with_what_the_diary_knows(desk: Desk) -> None:
    offers = desk.offers()
    assert [each.id for each in offers] == [str(slot.pk) for slot in desk.slots]
    first = offers[0]
    assert (first.start, first.end) == (desk.slots[0].start, desk.slots[0].end)
    assert (first.practitioner_name, first.role, first.gender) == ("Dr Joe Bloggs", "Doctor", "Male")
    assert (first.delivery_channel, first.location_name) == ("Telephone", "Riverside, ground floor")
    desk.service.refresh_from_db()
    assert desk.service.last_success_at == NOW


def test_a_booking_is_confirmed_by_the_receiver(desk: Desk) -> None:
    booking = desk.request()
    assert booking.status == BookingStatus.REQUESTED
    desk.network.deliver_all()
    booking.refresh_from_db()
    theirs = received()
    assert booking.status == BookingStatus.BOOKED
    assert booking.remote_id == str(theirs.pk)
    assert booking.reference == theirs.reference != ""
    assert theirs.source_service_id == OWN_SERVICE_ID
    assert theirs.sender_ods_code == desk.acting.organisation.ods_code
    assert theirs.patient.family_name == booking.patient.family_name
    assert theirs.journey.correlation_id == booking.journey.correlation_id
    assert theirs.journey_id != booking.journey_id
    assert Slot.objects.get(pk=desk.slots[0].pk).status == SlotStatus.BUSY
    assert [change.to_status for change in booking.changes.all()] == ["requested", "booked"]


def test_a_second_press_finds_the_first_booking(desk: Desk) -> None:
    draft = desk.draft()
    first = desk.request(draft=draft)
    assert desk.request(draft=draft).pk == first.pk
    assert Booking.objects.count() == 1


def test_a_taken_slot_is_refused_in_plain_words(desk: Desk) -> None:
    booking = desk.request()
    Slot.objects.filter(pk=desk.slots[0].pk).update(status=SlotStatus.BUSY)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.REFUSED
    assert booking.explanation == "Somebody else took this time. Choose another slot."


def test_a_lost_answer_is_settled_by_the_same_message(desk: Desk) -> None:
    booking = desk.request()
    desk.network.after.append(timeout)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN
    assert "do not book another" in booking.explanation
    check_again(booking=booking, acting=desk.acting, now=NOW)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED
    assert booking.remote_id == str(received().pk)
    assert booking.reference == received().reference
    posts = [each for each in desk.network.requests if each.method == "POST"]
    assert posts[0].content == posts[1].content
    assert posts[0].headers["X-Request-ID"] == posts[1].headers["X-Request-ID"]


def test_a_cancel_frees_the_slot(desk: Desk, booking: Booking) -> None:
    assert latest(desk, booking).state is LatestState.CURRENT
    cancel(desk, booking)
    assert booking.status == BookingStatus.CANCELLING
    desk.network.deliver_all()
    booking.refresh_from_db()
    theirs = received()
    assert booking.status == theirs.status == BookingStatus.CANCELLED
    assert theirs.resource["cancelationReason"]["coding"][0]["code"] == "pat"
    assert theirs.resource["meta"]["versionId"] == "2"
    assert Slot.objects.get(pk=desk.slots[0].pk).status == SlotStatus.FREE
    assert booking.patient_told_at is None


def test_a_cancel_names_nobody_who_is_not_in_it(desk: Desk) -> None:
    """The practice of the patient travels with whoever names it."""
    details = replace(DETAILS, practice_code="B86044", practice_name="The Headrow Surgery")
    booking = desk.request(details=details)
    desk.network.deliver_all()
    booking.refresh_from_db()
    cancel(desk, booking)
    message = json.loads(bytes(OutboundMessage.objects.get(message_type="booking-cancelled").body))
    there = {entry["fullUrl"]: entry["resource"] for entry in message["entry"]}
    (patient,) = [each for each in there.values() if each["resourceType"] == "Patient"]
    (practice,) = patient["generalPractitioner"]
    assert there[practice["reference"]]["name"] == "The Headrow Surgery"


def test_a_refused_cancel_leaves_the_booking(desk: Desk, booking: Booking) -> None:
    cancel(desk, booking)
    desk.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED
    assert "Look at it again" in booking.explanation
    assert booking.resource["status"] == "booked"


def test_a_lost_cancel_is_settled_by_check_again(desk: Desk, booking: Booking) -> None:
    cancel(desk, booking)
    desk.network.after.append(timeout)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCEL_UNKNOWN
    check_again(booking=booking, acting=desk.acting, now=NOW)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCELLED


def test_rebooking_books_anew_when_the_cancel_is_confirmed(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking,
        latest=latest(desk, booking),
        draft=draft,
        reason="pat",
        acting=desk.acting,
        now=NOW,
    )
    assert rebooking_state(plan).state is RebookingState.CANCELLING
    desk.network.deliver_all()
    plan.refresh_from_db()
    progress = rebooking_state(plan)
    assert progress.state is RebookingState.DONE, progress
    new = plan.booked
    assert new is not None
    assert new.status == BookingStatus.BOOKED
    assert (new.patient_id, new.journey_id) == (booking.patient_id, booking.journey_id)
    assert new.start == desk.slots[2].start


def test_a_failed_second_half_is_said_loudly_and_can_be_repeated(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking,
        latest=latest(desk, booking),
        draft=draft,
        reason="pat",
        acting=desk.acting,
        now=NOW,
    )
    Slot.objects.filter(pk=desk.slots[2].pk).update(status=SlotStatus.BUSY)
    desk.network.deliver_all()
    plan.refresh_from_db()
    progress = rebooking_state(plan)
    assert progress.state is RebookingState.NOT_BOOKED
    assert progress.is_alarm
    assert "The new one was NOT booked" in progress.sentence
    assert "Somebody else took this time" in progress.sentence
    booking.refresh_from_db()
    again = desk.request(draft=desk.draft(position=0, replaces=booking))
    desk.network.deliver_all()
    plan.refresh_from_db()
    assert plan.booked == again
    assert rebooking_state(plan).state is RebookingState.DONE


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (refusing(422, "REC_UNPROCESSABLE_ENTITY"), RebookingState.CANCEL_REFUSED),
        (timeout, RebookingState.CANCEL_UNKNOWN),
    ],
)
def test_nothing_new_is_booked_unless_the_cancel_is_sure(
    desk: Desk, booking: Booking, fault: Fault, state: RebookingState
) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking, latest=latest(desk, booking), draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    desk.network.before.append(fault)
    desk.network.deliver_all()
    plan.refresh_from_db()
    assert rebooking_state(plan).state is state
    assert plan.booked is None
    assert Booking.objects.filter(direction=Direction.SENT).count() == 1


def test_rebooking_what_the_service_cancelled_itself_books_at_once(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    theirs = {**latest(desk, booking).resource, "status": "cancelled"}
    found = Latest(LatestState.OVER, "", theirs)
    plan = start_rebooking(
        booking=booking, latest=found, draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    assert booking.status == BookingStatus.CANCELLED
    assert rebooking_state(plan).state is RebookingState.BOOKING
    desk.network.deliver_all()
    plan.refresh_from_db()
    assert rebooking_state(plan).state is RebookingState.DONE


def test_check_again_after_a_lost_cancel_goes_on_with_the_rebooking(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking, latest=latest(desk, booking), draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    desk.network.after.append(timeout)
    desk.network.deliver_all()
    booking.refresh_from_db()
    check_again(booking=booking, acting=desk.acting, now=NOW)
    desk.network.deliver_all()
    plan.refresh_from_db()
    assert rebooking_state(plan).state is RebookingState.DONE


def echoing_with(**changes: Any) -> Fault:
    """A receiver that answers with what was sent, its own id, and these changes of the appointment."""

    def answer(request: httpx.Request) -> httpx.Response:
        bundle = json.loads(request.content)
        bundle["entry"][1]["resource"] |= {"id": "x", **changes}
        return answering(bundle)(request)

    return answer


def holding(status: str) -> Fault:
    """A receiver that answers with an appointment of this status."""
    return echoing_with(status=status)


@pytest.mark.parametrize("status", ["pending", "proposed", "waitlist"])
def test_taken_but_not_booked_is_never_shown_as_booked(desk: Desk, status: str) -> None:
    booking = desk.request()
    desk.network.before.append(holding(status))
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN


@pytest.mark.parametrize("status", ["booked", "arrived", "pending"])
def test_a_cancel_after_which_the_appointment_stands_is_not_known(
    desk: Desk, booking: Booking, status: str
) -> None:
    cancel(desk, booking)
    desk.network.before.append(holding(status))
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCEL_UNKNOWN


def test_an_answer_without_an_appointment_is_not_known(desk: Desk) -> None:
    booking = desk.request()
    desk.network.before.append(answering({"resourceType": "Bundle", "type": "message"}))
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN
    assert (booking.reference, booking.remote_id) == ("", "")


def test_hostile_answers_are_stored_without_harm(desk: Desk) -> None:
    booking = desk.request()
    hostile = [{"value": "\x00<b>" + "R" * 100}]
    desk.network.before.append(echoing_with(id="f" * 64, identifier=hostile, comment="\x00"))
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED
    assert booking.reference.startswith("<b>R")
    assert len(booking.reference) == 64
    booking.remote_id = "../../metadata?x=" + "9" * 40
    assert latest(desk, booking).state is LatestState.UNREACHABLE, "an id is never a path"


def test_a_plain_cancel_does_not_bring_back_a_refused_rebooking(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    start_rebooking(
        booking=booking, latest=latest(desk, booking), draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    desk.network.deliver_all()
    booking.refresh_from_db()
    cancel(desk, booking)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCELLED
    assert Booking.objects.filter(direction=Direction.SENT).count() == 1
    assert not Rebooking.objects.exists(), "nothing says that a new appointment is missing"
