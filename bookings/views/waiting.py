"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

import time
from collections.abc import Callable

from bookings.models import Booking
from bookings.states import BookingStatus

PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1
_ON_ITS_WAY = (BookingStatus.REQUESTED, BookingStatus.CANCELLING)


def wait_while(is_waiting: Callable[[], bool], read: Callable[[], None], *, patience: float) -> None:
    """Reads again and again until what is waited for is settled, or the patience ends."""
    deadline = time.monotonic() + patience
    while is_waiting() and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        read()


def wait_for_outcome(booking: Booking, *, patience: float = PATIENCE_SECONDS) -> Booking:
    """The booking once it is settled, or as it stands when the patience ends. Reads only its status."""
    wait_while(
        lambda: booking.status in _ON_ITS_WAY,
        lambda: booking.refresh_from_db(fields=["status"]),
        patience=patience,
    )
    booking.refresh_from_db()
    return booking
