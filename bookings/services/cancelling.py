"""Asking a service to cancel a booking, from the version that it holds right now."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import CancellationReason
from bookings import policies
from bookings.latest import LatestAppointment
from bookings.models import Booking, Rebooking
from bookings.services.status import change_status
from bookings.states import BookingEvent
from directory.remote import sender_identity

MESSAGE = "booking-cancelled"
REASON_LENGTH = 300


@transaction.atomic
def request_cancel(
    *, booking: Booking, latest: LatestAppointment, reason: str, acting: Acting, now: datetime
) -> Booking:
    """Send the cancellation; `reason` is a CancellationReason code or a few words.

    `latest` was read just before, outside this transaction. When it is cancelled there already, that is
    recorded and nothing is sent. Raises PolicyRefused (also when nothing could be read), TransitionRefused.
    """
    policies.check_can_cancel(acting, booking, now)
    _forget_plan(booking)
    if _is_cancelled(latest):
        return find_cancelled(booking=booking, latest=latest, actor=acting.actor, now=now)
    if not latest.can_be_cancelled:
        raise policies.PolicyRefused(latest.sentence)
    change_status(
        booking=booking,
        event=BookingEvent.REQUEST_CANCEL,
        actor=acting.actor,
        now=now,
        # The message is built from this version, which the receiver holds.
        changes={"resource": latest.resource, "cancel_reason": _words(reason), "explanation": ""},
    )
    sender = sender_identity(acting)
    outbox.enqueue(
        key=MESSAGE,
        subject=booking,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )
    return booking


@transaction.atomic
def find_cancelled(*, booking: Booking, latest: LatestAppointment, actor: Actor, now: datetime) -> Booking:
    """The receiver holds it as cancelled already: only our record is behind. Raises TransitionRefused."""
    _forget_plan(booking)
    return change_status(
        booking=booking,
        event=BookingEvent.FIND_CANCELLED,
        actor=actor,
        now=now,
        note="The service had cancelled it already.",
        changes={"resource": latest.resource, "explanation": "", "patient_told_at": None},
    )


def _forget_plan(booking: Booking) -> None:
    """A rebooking whose cancellation was refused is over: this cancellation must not bring it back."""
    Rebooking.objects.filter(cancelled=booking, booked=None).delete()


def _is_cancelled(latest: LatestAppointment) -> bool:
    return latest.status in ("cancelled", "entered-in-error")


def _words(reason: str) -> str:
    known = CancellationReason.lookup(reason)
    return (known.display if known else reason.strip())[:REASON_LENGTH]
