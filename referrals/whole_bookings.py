"""Shows the message of a received booking whole, with the presenters of received cases."""

from datetime import datetime

from bookings.models import Booking
from bookings.ports import WholeMessage
from referrals.presenters.received import shown_message


def whole_booking(booking: Booking, now: datetime) -> WholeMessage | None:
    view = shown_message(booking.message, now)
    return WholeMessage("referrals/message/_message.jinja", view) if view else None
