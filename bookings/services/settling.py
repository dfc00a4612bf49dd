"""What becomes of a booking that we sent once its message is settled, and asking again when it is not."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.entries import clean
from bars_portal.correspondence.history import send_again
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus
from bars_portal.exchange.fhir.reading import as_text
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from bookings import policies
from bookings.explanations import BOOKING, CANCELLATION
from bookings.mapping.sent import reference_of
from bookings.models import Booking
from bookings.services.cancelling import continue_rebooking
from bookings.services.history import change_status
from bookings.states import BookingEvent, BookingStatus

_TAKEN_BACK = frozenset({AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR})
_STANDS = frozenset(
    {
        AppointmentStatus.BOOKED,
        AppointmentStatus.ARRIVED,
        AppointmentStatus.CHECKED_IN,
        AppointmentStatus.FULFILLED,
    }
)
_CHECKS = {
    BookingStatus.UNKNOWN: BookingEvent.CHECK_AGAIN,
    BookingStatus.CANCEL_UNKNOWN: BookingEvent.CHECK_CANCEL_AGAIN,
}
_REMOTE_ID = 64
_DELIVERED_UNREAD = (
    "The service has this booking, but its details could not be read. Call the service for the reference."
)


def settle_booking(*, booking: Booking, outcome: Outcome, actor: Actor, now: datetime) -> Booking:
    """Booked, refused or not known. Raises TransitionRefused when the booking is not being requested."""
    if outcome.delivery is Delivery.REFUSED:
        return _move(booking, BookingEvent.REFUSE, BOOKING.explain(outcome), actor, now)
    if outcome.delivery is Delivery.UNKNOWN:
        return _move(booking, BookingEvent.LOSE, BOOKING.explain(outcome), actor, now)
    held = _appointment(outcome)
    status = as_text(held.get("status"))
    if held and status not in _STANDS | _TAKEN_BACK:
        # Taken, but not booked: pending, proposed... Nobody may tell the patient that it is.
        return _move(booking, BookingEvent.LOSE, BOOKING.unknown, actor, now)
    _confirm(booking, held, actor, now)
    if status in _TAKEN_BACK:
        # Found by a read after a lost answer: booked, and cancelled by the service since.
        return change_status(
            booking=booking,
            event=BookingEvent.FIND_CANCELLED,
            actor=actor,
            now=now,
            note="The service had cancelled it already.",
        )
    return booking


def settle_cancel(*, booking: Booking, outcome: Outcome, actor: Actor, now: datetime) -> Booking:
    """Cancelled (then a planned rebooking goes on), still booked, or not known. Raises TransitionRefused."""
    if outcome.delivery is Delivery.REFUSED:
        return _move(booking, BookingEvent.REFUSE_CANCEL, CANCELLATION.explain(outcome), actor, now)
    held = _appointment(outcome)
    stands = bool(held) and as_text(held.get("status")) not in _TAKEN_BACK
    if outcome.delivery is Delivery.UNKNOWN or stands:
        words = CANCELLATION.explain(outcome) or CANCELLATION.unknown
        return _move(booking, BookingEvent.LOSE_CANCEL, words, actor, now)
    change_status(
        booking=booking,
        event=BookingEvent.CONFIRM_CANCEL,
        actor=actor,
        now=now,
        # What the patient was told about the booking does not cover its end.
        changes={"resource": held or booking.resource, "explanation": "", "patient_told_at": None},
    )
    continue_rebooking(booking=booking, actor=actor, now=now)
    return booking


def _confirm(booking: Booking, held: Resource, actor: Actor, now: datetime) -> None:
    changes = {
        "remote_id": as_text(held.get("id"))[:_REMOTE_ID],
        "reference": reference_of(held)[:_REMOTE_ID],
        "resource": held or booking.resource,
        "explanation": "" if held else _DELIVERED_UNREAD,
    }
    change_status(booking=booking, event=BookingEvent.CONFIRM, actor=actor, now=now, changes=changes)


def _appointment(outcome: Outcome) -> Resource:
    """The receiver's Appointment: from its answer, or read afterwards; {} when there is none."""
    if outcome.found is not None:
        held: Resource = clean(outcome.found)
        return held
    if outcome.reply is None:
        return {}
    focus = outcome.reply.focus or {}
    named = [focus] if focus.get("resourceType") == "Appointment" else outcome.reply.of_type("Appointment")
    found: Resource = clean(named[0]) if named else {}
    return found


def _move(booking: Booking, event: BookingEvent, words: str, actor: Actor, now: datetime) -> Booking:
    return change_status(
        booking=booking, event=event, actor=actor, now=now, note=words, changes={"explanation": words}
    )


@transaction.atomic
def check_again(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """Send the same bytes and ids again, so that nothing can be booked twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    policies.check_can_check_again(acting, booking)
    event = _CHECKS[BookingStatus(booking.status)]
    send_again(booking)
    change_status(booking=booking, event=event, actor=acting.actor, now=now, changes={"explanation": ""})
    return booking
