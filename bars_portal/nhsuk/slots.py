"""Slots as a table: one row a day, with morning, afternoon and evening (London time)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from bars_portal.nhsuk import dates

_NOON, _EVENING = 12, 17


@dataclass(frozen=True)
class SlotChoice:
    """One offered time. `value` is what the form posts; `details` says only what the receiver gave."""

    value: str
    start: datetime
    details: str = ""

    @property
    def period(self) -> str:
        hour = dates.in_london(self.start).hour
        return "morning" if hour < _NOON else "afternoon" if hour < _EVENING else "evening"


@dataclass(frozen=True)
class SlotDay:
    day: date
    morning: tuple[SlotChoice, ...]
    afternoon: tuple[SlotChoice, ...]
    evening: tuple[SlotChoice, ...]

    @property
    def periods(self) -> tuple[tuple[str, tuple[SlotChoice, ...]], ...]:
        return (("Morning", self.morning), ("Afternoon", self.afternoon), ("Evening", self.evening))

    @property
    def count(self) -> int:
        return len(self.morning) + len(self.afternoon) + len(self.evening)


def by_day(choices: Iterable[SlotChoice]) -> tuple[SlotDay, ...]:
    """Rows of the table in order of time; days without slots have no row."""
    ordered = sorted(choices, key=lambda choice: choice.start)
    days = groupby(ordered, key=lambda choice: dates.in_london(choice.start).date())
    return tuple(_row(day, tuple(group)) for day, group in days)


def _row(day: date, choices: tuple[SlotChoice, ...]) -> SlotDay:
    def of(period: str) -> tuple[SlotChoice, ...]:
        return tuple(choice for choice in choices if choice.period == period)

    return SlotDay(day, of("morning"), of("afternoon"), of("evening"))
