"""A diary as an iCalendar file (RFC 5545): times, whether booked, our reference; no patient. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from icalendar import Calendar, Event


class CalendarEntry(NamedTuple):
    """One slot. `reference` is "" for one that nobody has booked; `changed` and the times are aware."""

    id: str
    start: datetime
    end: datetime
    status: str
    diary: str
    reference: str
    changed: datetime


def diary_calendar(service_name: str, entries: Iterable[CalendarEntry]) -> bytes:
    """Free times are shown as free, all others as busy."""
    calendar = Calendar()
    calendar.add("prodid", "-//bars-portal//diary//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", service_name)
    for each in entries:
        event = Event()
        event.add("uid", f"{each.id}@bars-portal")
        event.add("dtstamp", each.changed)
        event.add("dtstart", each.start)
        event.add("dtend", each.end)
        event.add("summary", f"{each.status} {each.reference}".strip())
        event.add("location", each.diary)
        event.add("transp", "OPAQUE" if each.reference else "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
