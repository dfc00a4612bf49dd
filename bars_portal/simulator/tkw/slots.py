"""GET /Slot: the query in the seeds' spelling or the standard's; slots made from the clock, never stored.

Seeds: `start=ge...&end=le...`, hour-only offsets, no _include. Standard (section 7): `start` twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bars_portal.simulator.fhir import Resource, read_instant
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected

LONDON = ZoneInfo("Europe/London")
USUAL_RANGE = timedelta(days=7)
PREFIXES = frozenset({"", "eq", "ge", "gt", "le", "lt"})
STATUSES = frozenset({"free", "busy"})
SERVICE_PARAMETER = "Schedule.actor:HealthcareService"
# Every 30 minutes, London time, the last one ending when the service closes.
OPENS, CLOSES = time(9), time(17)
LENGTH = timedelta(minutes=30)
# A search over years is answered with its first days.
MOST_DAYS = 14
# About every fourth slot is taken, always the same ones.
BUSY_EVERY = 4


@dataclass(frozen=True)
class SlotSearch:
    """What is searched for; times are aware, in London time, both ends included."""

    service_id: str
    statuses: frozenset[str]
    start: datetime
    end: datetime


def read_slot_search(parameters: Sequence[tuple[str, str]], *, target: str, now: datetime) -> SlotSearch:
    """The search; `target` is searched where no service is named. Raises Rejected."""
    starts = [_bound(value) for name, value in parameters if name == "start"]
    ends = [_bound(value) for name, value in parameters if name == "end"]
    lower = [at for prefix, at in starts if prefix in {"ge", "gt", "eq", ""}]
    upper = [at for prefix, at in starts + ends if prefix in {"le", "lt"}]
    start = max(lower, default=now.astimezone(LONDON))
    named = [value for name, value in parameters if name == SERVICE_PARAMETER]
    return SlotSearch(
        service_id=named[-1].rpartition("|")[2] if named else target,
        statuses=_statuses(parameters),
        start=start,
        end=min(upper, default=_later(start)),
    )


def _statuses(parameters: Sequence[tuple[str, str]]) -> frozenset[str]:
    asked = {part for name, value in parameters if name == "status" for part in value.split(",")} or {"free"}
    if not asked <= STATUSES:
        raise Rejected(ReceiverError.BAD_VALUE)
    return frozenset(asked)


def _bound(value: str) -> tuple[str, datetime]:
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("", value)
    if prefix not in PREFIXES:
        raise Rejected(ReceiverError.BAD_VALUE)
    try:
        # A plus sign that was not percent-encoded arrives as a blank.
        at = read_instant(text.replace(" ", "+"))
        if at.tzinfo is None:
            raise Rejected(ReceiverError.BAD_VALUE)
        return prefix, at.astimezone(LONDON)
    except (ValueError, OverflowError) as problem:
        raise Rejected(ReceiverError.BAD_VALUE) from problem


def _later(start: datetime) -> datetime:
    try:
        return start + USUAL_RANGE
    except OverflowError:
        return start


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
            status = _status(search.service_id, start)
            if earliest <= start <= search.end and status in search.statuses:
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
        start=shapes.stamp(start, LONDON),
        end=shapes.stamp(start + LENGTH, LONDON),
    )
    return shapes.full_url("Slot", service_id, start.isoformat()), content
