"""Weekly opening hours: as kept ({"mon": [["08:00", "20:00"]]}), as checked, and as people type them. Pure.

A day's list holds spans of London time; a span that ends at or before its start runs into the next day;
"24:00" is the end of the day. No days at all: not known. A day left out or empty: closed.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
DAY_MINUTES = 24 * 60
_MOST_SPANS = 6
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")

StoredHours = dict[str, list[list[str]]]


class InvalidHours(ValueError):
    """The hours cannot be understood; the message says where, in words for whoever typed them."""


class Span(NamedTuple):
    """Minutes after midnight; `end` is past 1440 when the span runs into the next day."""

    start: int
    end: int

    @property
    def whole_day(self) -> bool:
        return self == (0, DAY_MINUTES)


# Seven tuples of spans, Monday first.
Week = tuple[tuple[Span, ...], ...]


def read_week(stored: object) -> Week | None:
    """The week, or None when nothing is known. Raises InvalidHours."""
    if not isinstance(stored, Mapping):
        raise InvalidHours("Opening hours must be a list of days.")
    if unknown := set(stored) - set(DAYS):
        raise InvalidHours(f"Opening hours name {len(unknown)} days that do not exist.")
    if not stored:
        return None
    return tuple(_read_day(name, stored.get(key, [])) for key, name in DAYS.items())


def _read_day(name: str, spans: object) -> tuple[Span, ...]:
    if not isinstance(spans, list | tuple) or len(spans) > _MOST_SPANS:
        raise InvalidHours(f"{name}: enter at most {_MOST_SPANS} spans of time.")
    read = sorted(_read_span(name, span) for span in spans)
    if any(one.end > other.start for one, other in pairwise(read)):
        raise InvalidHours(f"{name}: two spans overlap.")
    return tuple(read)


def _read_span(name: str, span: object) -> Span:
    if not isinstance(span, list | tuple) or len(span) != 2:
        raise InvalidHours(f"{name}: a span has a start and an end.")
    start, end = (_minutes(name, moment) for moment in span)
    if start == DAY_MINUTES:
        raise InvalidHours(f"{name}: a span cannot start at 24:00.")
    return Span(start, end if end > start else end + DAY_MINUTES)


def _minutes(name: str, moment: object) -> int:
    if not isinstance(moment, str) or not _CLOCK.fullmatch(moment):
        raise InvalidHours(f"{name}: enter times like 08:00 or 17:30.")
    hours, minutes = moment.split(":")
    return int(hours) * 60 + int(minutes)
