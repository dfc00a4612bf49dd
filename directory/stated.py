"""All that a service says of itself, side by side with what it said before. Pure.

Kept as {aspect: sorted texts}; an aspect that it did not tell of is missing, which is no word against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bars_portal.exchange.fhir.capability_reading import StatedCapability
from bars_portal.exchange.fhir.codes import MessageEvent
from directory.definitions import events_of, use_cases_of

Stated = dict[str, list[str]]


class Aspect(StrEnum):
    REQUESTS = "requests"
    BOOKINGS = "bookings"
    EVENTS = "events"
    DEFINITIONS = "definitions"
    VERSION = "version"
    FORMATS = "formats"


@dataclass(frozen=True)
class Difference:
    """What came and what went, by aspect; an aspect that is the same in neither."""

    added: Stated
    removed: Stated

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def stated_by(searchset: Mapping[str, Any] | None, statement: StatedCapability | None) -> Stated:
    """Of its MessageDefinitions and its CapabilityStatement; None: not told."""
    told: dict[Aspect, Iterable[str] | None] = {}
    if searchset is not None:
        told[Aspect.REQUESTS] = use_cases_of(dict(searchset))
        told[Aspect.BOOKINGS] = use_cases_of(dict(searchset), MessageEvent.BOOKING_REQUEST)
        told[Aspect.EVENTS] = events_of(dict(searchset))
    if statement is not None:
        told[Aspect.DEFINITIONS] = statement.definitions
        told[Aspect.VERSION] = [statement.version] if statement.version else None
        told[Aspect.FORMATS] = statement.formats
    # What the database cannot hold is no code of anybody.
    return {
        aspect.value: sorted(each for each in values if each.isprintable())
        for aspect, values in told.items()
        if values is not None
    }


def difference(before: Stated, now: Stated) -> Difference:
    """Only of what was told both times."""
    both = [each for each in Aspect if each in before and each in now]
    return Difference(
        {each.value: new for each in both if (new := sorted(set(now[each]) - set(before[each])))},
        {each.value: gone for each in both if (gone := sorted(set(before[each]) - set(now[each])))},
    )
