"""Dates and times as people read them: always London time, always 24 hours; and slots as a table of them."""

import re
from calendar import month_name
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def in_london(moment: datetime) -> datetime:
    """The same moment on a London clock; raises ValueError for a moment without an offset."""
    if moment.tzinfo is None:
        raise ValueError("A moment needs an offset.")
    return moment.astimezone(LONDON)


def _day(value: date) -> date:
    return in_london(value).date() if isinstance(value, datetime) else value


def format_date(value: date) -> str:
    """14 July 2026"""
    day = _day(value)
    return f"{day.day} {day:%B} {day.year}"


def format_day(value: date) -> str:
    """Tuesday 14 July 2026, marked when the clocks change that day."""
    day = _day(value)
    mark = clock_change(day)
    return f"{day:%A} {format_date(day)}" + (f" ({mark})" if mark else "")


def format_time(moment: datetime) -> str:
    """14:30; in the hour that comes twice with its zone: 01:30 BST, 01:30 GMT."""
    local = in_london(moment)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M}" + (f" {local.tzname()}" if twice else "")


def format_end(moment: datetime) -> str:
    """The end of a stretch of one day: midnight is its 24:00."""
    words = format_time(moment)
    return "24:00" if words == "00:00" else words


def format_datetime(moment: datetime) -> str:
    """Tuesday 14 July 2026 at 14:30, marked when the clocks change that day."""
    local = in_london(moment)
    mark = clock_change(local.date())
    return f"{local:%A} {format_date(local)} at {format_time(local)}" + (f" ({mark})" if mark else "")


def format_short(moment: datetime) -> str:
    """14 July 2026, 14:30: in lists and titles of the administration."""
    local = in_london(moment)
    return f"{format_date(local)}, {format_time(local)}"


def format_moment(moment: datetime, now: datetime) -> str:
    """ "10:42" of today; another day is named."""
    same_day = in_london(moment).date() == in_london(now).date()
    return format_time(moment) if same_day else format_datetime(moment)


def format_second(moment: datetime, now: datetime) -> str:
    """ "10:42:07" of today, for what is over in a minute; of another day as `format_moment`."""
    words, same_day = format_moment(moment, now), in_london(moment).date() == in_london(now).date()
    return words.replace(f"{in_london(moment):%H:%M}", f"{in_london(moment):%H:%M:%S}") if same_day else words


def clock_change(value: date) -> str:
    """Words for a day on which British clocks change, else the empty string."""
    day = _day(value)
    midnight = datetime(day.year, day.month, day.day, tzinfo=LONDON)
    following = day + timedelta(days=1) if day < date.max else day
    end = datetime(following.year, following.month, following.day, tzinfo=LONDON)
    gained = (end.utcoffset() or timedelta()) - (midnight.utcoffset() or timedelta())
    if gained == timedelta():
        return ""
    return "clocks go forward 1 hour" if gained > timedelta() else "clocks go back 1 hour"


def format_relative(moment: datetime, now: datetime) -> str:
    """12 minutes ago (Tuesday 14 July 2026 at 14:30): never without the absolute time."""
    return f"{_distance(moment, now)} ({format_datetime(moment)})"


def _distance(moment: datetime, now: datetime) -> str:
    seconds = int((moment - now).total_seconds())
    for size, unit in _UNITS:
        count = abs(seconds) // size
        if count:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "less than a minute ago" if seconds <= 0 else "in less than a minute"


def whole_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def format_age(born: date, on: date) -> str:
    """81y; under two years in months (14m), under four weeks in days (9d), not born yet: empty."""
    days = (on - born).days
    if days < 0:
        return ""
    if days < 28:
        return f"{days}d"
    years = whole_years(born, on)
    if years >= 2:
        return f"{years}y"
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    return f"{months}m"


def format_birth_date(born: date) -> str:
    """14-Jul-1945: the banner's own form, which no one mistakes for an American date."""
    return f"{born.day:02d}-{born:%b}-{born.year}"


_PARTLY = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?")


def format_partly(text: str) -> str:
    """1984, July 1984, 14 July 1984: a FHIR date as far as it is known; anything else as it is."""
    if found := _PARTLY.fullmatch(text):
        return f"{month_name[int(found[2])]} {found[1]}" if found[2] else text
    try:
        return format_date(date.fromisoformat(text)) if len(text) == len("1984-07-14") else text
    except ValueError:
        return text


def london_midnight(day: date) -> datetime:
    """The moment at which a London day begins."""
    return datetime.combine(day, time(), tzinfo=LONDON)


_NOON, _EVENING = 12, 17


@dataclass(frozen=True)
class SlotChoice:
    """One offered time. `value` is what the form posts; `details` says only what the receiver gave."""

    value: str
    start: datetime
    details: str = ""

    @property
    def period(self) -> str:
        hour = in_london(self.start).hour
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
    days = groupby(ordered, key=lambda choice: in_london(choice.start).date())
    return tuple(_row(day, tuple(group)) for day, group in days)


def _row(day: date, choices: tuple[SlotChoice, ...]) -> SlotDay:
    def of(period: str) -> tuple[SlotChoice, ...]:
        return tuple(choice for choice in choices if choice.period == period)

    return SlotDay(day, of("morning"), of("afternoon"), of("evening"))
