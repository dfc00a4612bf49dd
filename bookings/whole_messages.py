"""The message that a received booking came with, whole, as a room above reads it. Bookings only ask."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from bookings.models import Booking


@dataclass(frozen=True)
class WholeMessage:
    """`template` shows `view`, which it knows as "message"."""

    template: str
    view: object


ReadWhole = Callable[[Booking, datetime], WholeMessage | None]
_readers: list[ReadWhole] = []


def register_whole_messages(read: ReadWhole) -> None:
    """Raises ImproperlyConfigured when somebody else is asked already."""
    if _readers and read not in _readers:
        raise ImproperlyConfigured("The messages of bookings have two readers.")
    _readers[:] = [read]


def whole_message(booking: Booking, now: datetime) -> WholeMessage | None:
    """None when it is not kept, or nobody can read it."""
    return next((read(booking, now) for read in _readers), None)
