"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

from bars_portal.correspondence.waiting import PATIENCE_SECONDS, wait_while
from bookings.models import Booking
from bookings.states import BookingStatus

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
