"""What becomes of a booking that we sent once its message is settled, and asking again when it is not."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.differences import (
    PATIENT,
    SERVICE,
    Difference,
    Told,
    alone,
    differences,
    with_contradiction,
)
from bars_portal.correspondence.entries import clean
from bars_portal.correspondence.explanations import LATE, PATIENCE_SECONDS, ReasonCode, note_of, wait_while
from bars_portal.correspondence.history import send_again
from bars_portal.correspondence.latest import Latest
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.reading import as_text
from bars_portal.exchange.fhir.replies import times_of
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from bookings import policies
from bookings.explanations import BOOKING, CANCELLATION, STILL_ANOTHER
from bookings.mapping.sent import asked_for, is_taken_back, reference_of, stands
from bookings.models import Booking
from bookings.services.cancelling import continue_rebooking
from bookings.services.history import change_status
from bookings.services.running import note_refusal
from bookings.states import BookingEvent, BookingStatus

_CHECKS = {
    BookingStatus.UNKNOWN: BookingEvent.CHECK_AGAIN,
    BookingStatus.CANCEL_UNKNOWN: BookingEvent.CHECK_CANCEL_AGAIN,
}
_REMOTE_ID = 64


def settle_booking(*, booking: Booking, outcome: Outcome, actor: Actor, now: datetime) -> Booking:
    """Booked, not as asked, refused or not known. Raises TransitionRefused when it is not being requested."""
    if outcome.delivery is Delivery.REFUSED:
        words, code = BOOKING.explain(outcome), BOOKING.code(outcome)
        refused = _move(booking, BookingEvent.REFUSE, words, code, actor, now)
        note_refusal(booking=refused, actor=actor, now=now)
        return refused
    told = _told(outcome)
    if outcome.delivery is Delivery.UNKNOWN or not (stands(told.focus) or is_taken_back(told.focus)):
        # Taken, but not booked: pending, proposed... Nobody may tell the patient that it is.
        words = with_contradiction(BOOKING.explain(outcome) or BOOKING.unknown, _against(booking, told, now))
        code = BOOKING.code(outcome) or ReasonCode.NO_CLEAR_ANSWER
        return _move(booking, BookingEvent.LOSE, words, code, actor, now)
    return _confirm(booking, told, actor, now, note=note_of(outcome), is_late=outcome.is_late)


def settle_cancel(*, booking: Booking, outcome: Outcome, actor: Actor, now: datetime) -> Booking:
    """Cancelled (then a planned rebooking goes on), still booked, or not known. Raises TransitionRefused."""
    if outcome.delivery is Delivery.REFUSED:
        event = BookingEvent.REFUSE_CANCEL_OTHER if booking.differences else BookingEvent.REFUSE_CANCEL
        words, code = CANCELLATION.explain(outcome), CANCELLATION.code(outcome)
        return _move(booking, event, words, code, actor, now)
    told = _told(outcome)
    if outcome.delivery is Delivery.UNKNOWN or not is_taken_back(told.focus):
        words = CANCELLATION.explain(outcome) or CANCELLATION.unknown
        words = with_contradiction(words, _against(booking, told, now))
        code = CANCELLATION.code(outcome) or ReasonCode.NO_CLEAR_ANSWER
        return _move(booking, BookingEvent.LOSE_CANCEL, words, code, actor, now)
    change_status(
        booking=booking,
        event=BookingEvent.CONFIRM_CANCEL,
        actor=actor,
        now=now,
        note=note_of(outcome),
        # What the patient was told about the booking does not cover its end.
        changes={
            "resource": told.focus,
            "explanation": LATE if outcome.is_late else "",
            "explanation_code": ReasonCode.LATE if outcome.is_late else "",
            "differences": None,
            "patient_told_at": None,
        },
    )
    continue_rebooking(booking=booking, actor=actor, now=now)
    return booking


def _confirm(
    booking: Booking, told: Told, actor: Actor, now: datetime, note: str = "", *, is_late: bool = False
) -> Booking:
    """Booked as asked, or otherwise; also when the service has cancelled it since."""
    held, found = told.focus, _against(booking, told, now)
    is_other = bool(found) and not is_taken_back(held)
    changes = {
        "remote_id": as_text(held.get("id"))[:_REMOTE_ID],
        "reference": reference_of(held)[:_REMOTE_ID],
        "resource": held,
        "explanation": LATE if is_late else "",
        "explanation_code": ReasonCode.LATE if is_late else "",
        "differences": clean([asdict(each) for each in found]) if is_other else None,
    }
    event = BookingEvent.CONFIRM_OTHER if is_other else BookingEvent.CONFIRM
    change_status(booking=booking, event=event, actor=actor, now=now, note=note, changes=changes)
    if is_taken_back(held):
        # Found by a read: it was booked, and the service has cancelled it since.
        note = "The service had cancelled it already."
        event = BookingEvent.FIND_CANCELLED
        return change_status(booking=booking, event=event, actor=actor, now=now, note=note)
    return booking


def _told(outcome: Outcome) -> Told:
    """The receiver's Appointment: from its answer, or read afterwards; empty when there is none."""
    if outcome.found is not None:
        return alone(outcome.found)
    bundle = outcome.reply or MessageBundle({})
    focus = bundle.focus or {}
    return Told(bundle, clean(focus) if focus.get("resourceType") == "Appointment" else {})


def _against(booking: Booking, told: Told, now: datetime) -> list[Difference]:
    return differences(asked_for(booking), told, now=now) if told.focus else []


@transaction.atomic
def settle_differences(*, booking: Booking, latest: Latest, acting: Acting, now: datetime) -> Booking:
    """What the service says now of a booking that was not as asked: right, still otherwise, or cancelled.

    `latest` was read just before, outside this transaction. A read does not show whom or which service it is
    about: that difference stays. Raises PolicyRefused (nothing could be read) and TransitionRefused.
    """
    policies.check_can_settle(acting, booking)
    told = alone(latest.resource)
    if not (stands(told.focus) or is_taken_back(told.focus)):
        raise PolicyRefused(latest.sentence)
    kept = [each for each in booking.differences or [] if each["what"] in (PATIENT, SERVICE)]
    if kept and not is_taken_back(told.focus):
        raise PolicyRefused(STILL_ANOTHER)
    return _confirm(booking, told, acting.actor, now, note="Asked again")


@transaction.atomic
def accept_differences(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """The patient is to have the time that the service holds. Raises PolicyRefused and TransitionRefused."""
    policies.check_can_accept(acting, booking)
    start, end = times_of(booking.resource)
    return change_status(
        booking=booking,
        event=BookingEvent.ACCEPT_OTHER,
        actor=acting.actor,
        now=now,
        changes={"start": start, "end": end, "differences": None, "explanation": ""},
    )


def _move(
    booking: Booking, event: BookingEvent, words: str, code: str, actor: Actor, now: datetime
) -> Booking:
    changes = {"explanation": words, "explanation_code": code}
    return change_status(booking=booking, event=event, actor=actor, now=now, note=words, changes=changes)


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


_ON_ITS_WAY = (BookingStatus.REQUESTED, BookingStatus.CANCELLING)


def wait_for_outcome(booking: Booking, *, patience: float = PATIENCE_SECONDS) -> Booking:
    """The booking once it is settled, or as it stands when the patience ends. Reads only its status."""
    wait_while(
        lambda: booking.status in _ON_ITS_WAY,
        lambda: booking.refresh_from_db(fields=["status"]),
        patience=patience,
    )
    booking.refresh_from_db()
    return booking
