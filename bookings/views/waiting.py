"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

import time

from bookings.models import Booking
from bookings.states import BookingStatus

PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1
_ON_ITS_WAY = (BookingStatus.REQUESTED, BookingStatus.CANCELLING)


def wait_for_outcome(booking: Booking, *, patience: float = PATIENCE_SECONDS) -> Booking:
    """The booking once it is settled, or as it stands when the patience ends. Reads only its status."""
    deadline = time.monotonic() + patience
    while booking.status in _ON_ITS_WAY and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        booking.refresh_from_db(fields=["status"])
    booking.refresh_from_db()
    return booking
