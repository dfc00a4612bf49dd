"""When the slots of a weekly pattern are: London wall time as moments, right on clock-change days. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from bars_portal.exchange.fhir.timestamps import LONDON
from bookings.models import Schedule


def slot_times(schedule: Schedule, *, first_day: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """(start, end) in UTC of every slot on `days` days from `first_day`; a slot lasts exactly its minutes.

    Slots start at their wall time. A start that the clock skips in spring is left out, or one within the slot
    before it. The hour that comes twice in autumn is offered once, the first time round.
    """
    for offset in range(days):
        day = first_day + timedelta(days=offset)
        if day.weekday() in schedule.weekdays:
            yield from _day(schedule, day)


def _day(schedule: Schedule, day: date) -> Iterator[tuple[datetime, datetime]]:
    length = timedelta(minutes=schedule.slot_minutes)
    wall = datetime.combine(day, schedule.day_start)
    close = datetime.combine(day, schedule.day_end)
    free_from = datetime.min.replace(tzinfo=UTC)
    while wall + length <= close:
        start = wall.replace(tzinfo=LONDON).astimezone(UTC)
        if start >= free_from and start.astimezone(LONDON).replace(tzinfo=None) == wall:
            free_from = start + length
            yield start, free_from
        wall += length
