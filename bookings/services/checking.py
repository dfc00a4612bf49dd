"""Settling an outcome that is not known: the very same message goes out once more."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.exchange import delivery, outbox
from bookings import policies
from bookings.models import Booking
from bookings.services.status import TransitionRefused, change_status
from bookings.states import BookingEvent, BookingStatus

_EVENTS = {
    BookingStatus.UNKNOWN: BookingEvent.CHECK_AGAIN,
    BookingStatus.CANCEL_UNKNOWN: BookingEvent.CHECK_CANCEL_AGAIN,
}


@transaction.atomic
def check_again(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """Send the same bytes and ids again, so that nothing can be booked twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    policies.check_can_check_again(acting, booking)
    event = _EVENTS[BookingStatus(booking.status)]
    message = outbox.waiting_for_check(booking)
    if message is None or not delivery.queue_again(message):
        raise TransitionRefused(f"{event}: the message is not waiting for a check")
    change_status(booking=booking, event=event, actor=acting.actor, now=now, changes={"explanation": ""})
    outbox.announce_on_commit(message)
    return booking
