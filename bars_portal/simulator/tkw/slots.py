"""GET /Slot: slots made from the clock, never stored.

Every 30 minutes from 09:00, the last one ending at 17:00, London time, on the days asked.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.search import LONDON, SlotSearch

OPENS, CLOSES = time(9), time(17)
LENGTH = timedelta(minutes=30)
# A search over years is answered with its first days.
MOST_DAYS = 14
# About every fourth slot is taken, always the same ones.
BUSY_EVERY = 4


def find_slots(search: SlotSearch, *, gives: str, link: str, now: datetime) -> Resource:
    """The searchset for a service; `gives` is everything, nothing or mandatory (no people, no place)."""
    found = [] if gives == "nothing" else list(_slots(search, now))
    included = _included(search.service_id, now, full=gives == "everything") if found else []
    return shapes.searchset(found, included, link=link, now=now)


def _included(service_id: str, now: datetime, *, full: bool) -> list[shapes.Entry]:
    entries = [
        shapes.schedule(service_id, now, with_people=full),
        shapes.healthcare_service(service_id, now, with_location=full),
    ]
    if full:
        entries += [
            make(service_id, now) for make in (shapes.practitioner, shapes.practitioner_role, shapes.location)
        ]
    return entries


def _slots(search: SlotSearch, now: datetime) -> Iterator[shapes.Entry]:
    earliest = search.start if search.end < now else max(search.start, now)
    for day in _days(search, now):
        for start in _starts(day):
            if (
                earliest <= start <= search.end
                and (status := _status(search.service_id, start)) in search.statuses
            ):
                yield _slot(search.service_id, start, status, now)


def _days(search: SlotSearch, now: datetime) -> Iterator[date]:
    """The first days asked from now on; the last two of a range wholly past (the seeds' own examples)."""
    last = search.end.date()
    if search.end < now:
        first = max(search.start.date(), date.fromordinal(max(1, last.toordinal() - 1)))
    else:
        first = max(search.start.date(), now.astimezone(LONDON).date())
    for offset in range(min(MOST_DAYS, (last - first).days + 1)):
        yield first + timedelta(days=offset)


def _starts(day: date) -> Iterator[datetime]:
    start, closes = datetime.combine(day, OPENS, LONDON), datetime.combine(day, CLOSES, LONDON)
    while start + LENGTH <= closes:
        yield start
        start += LENGTH


def _status(service_id: str, start: datetime) -> str:
    return "busy" if int(_slot_id(service_id, start)[:8], 16) % BUSY_EVERY == 0 else "free"


def _slot_id(service_id: str, start: datetime) -> str:
    return shapes.stable_id("Slot", service_id, start.isoformat())


def _slot(service_id: str, start: datetime, status: str, now: datetime) -> shapes.Entry:
    content = shapes.resource(
        "Slot",
        _slot_id(service_id, start),
        now,
        schedule={"reference": shapes.full_url("Schedule", service_id)},
        status=status,
        start=start.isoformat(),
        end=(start + LENGTH).isoformat(),
    )
    return shapes.full_url("Slot", service_id, start.isoformat()), content
