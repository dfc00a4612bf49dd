"""What waits for a person, shown at home. Rooms above register what they know about."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bars_portal.accounts.acting import Acting


@dataclass(frozen=True)
class AttentionItem:
    """Shown as "Bookings not known: 2" for AttentionItem("bookings not known", 2, url, True)."""

    label: str
    count: int
    url: str
    urgent: bool = False


Source = Callable[[Acting, datetime], Iterable[AttentionItem]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Add a source, from an app's ready(); usable as a decorator. Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)
    return source


def items_for(acting: Acting, now: datetime) -> tuple[AttentionItem, ...]:
    """Everything with a count, urgent first, else in the order of registration."""
    found = [item for source in _sources for item in source(acting, now) if item.count > 0]
    return tuple(sorted(found, key=lambda item: not item.urgent))
