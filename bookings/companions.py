"""What goes with a received booking: the requests that rooms above know of. Bookings only ask."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from bars_portal.accounts.acting import Acting
from bookings.models import Booking


@dataclass(frozen=True)
class Companion:
    """One request, in words, with its page; `live` when both still stand."""

    words: str
    href: str
    live: bool


@dataclass(frozen=True)
class Companions:
    """`link_href`: where a person adds one by hand, "" for who may not."""

    found: list[Companion]
    link_href: str = ""


FindCompanions = Callable[[Booking, Acting], Companions]
_finders: list[FindCompanions] = []


def register_companions(find: FindCompanions) -> None:
    """Raises ImproperlyConfigured when somebody else is asked already."""
    if _finders and find not in _finders:
        raise ImproperlyConfigured("What goes with a booking has two owners.")
    _finders[:] = [find]


def companions_of(booking: Booking, acting: Acting) -> Companions:
    return next((find(booking, acting) for find in _finders), Companions([]))
