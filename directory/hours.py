"""Opening hours: as kept, as people type them, and whether a service is open now. Pure; London time.

Kept as {"mon": [["08:00", "20:00"]]}. A span that ends at or before its start runs into the next day;
"24:00" is the end of the day. No days at all: not known. A day left out or empty: closed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import holidays

from bars_portal.nhsuk.dates import LONDON, format_time, in_london
from bars_portal.values import InvalidValue, read_time

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


def readable_week(stored: object) -> Week | None:
    """What cannot be read counts as not known."""
    try:
        return read_week(stored)
    except InvalidHours:
        return None


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


_LINE = re.compile(r"([a-z]+)\s*:?\s+(.+)", re.IGNORECASE)
_DASH = re.compile(r"\s*(?:-|\u2013|\bto\b)\s*", re.IGNORECASE)
_ALL_DAY = {"24 hours", "24h", "open 24 hours"}


def write_hours(stored: StoredHours) -> str:
    """One line a day, Monday first ("Mon 08:00-12:00, 13:00-17:00"); "" when nothing is known."""
    if not stored:
        return ""
    return "\n".join(f"{key.capitalize()} {write_spans(stored.get(key, []))}" for key in DAYS)


def write_spans(spans: list[list[str]]) -> str:
    """What `read_spans` reads."""
    if [list(span) for span in spans] == [["00:00", "24:00"]]:
        return "24 hours"
    return ", ".join("-".join(span) for span in spans) or "closed"


def read_hours(text: str) -> StoredHours:
    """What `write_hours` writes, typed by hand. Raises InvalidHours naming the line, or the day."""
    stored: StoredHours = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            day, spans = _read_line(number, line.strip())
            if day in stored:
                raise InvalidHours(f"Line {number}: {DAYS[day]} is there twice.")
            stored[day] = spans
    read_week(stored)
    return stored


def _read_line(number: int, line: str) -> tuple[str, list[list[str]]]:
    match = _LINE.fullmatch(line)
    day = match[1].lower() if match else ""
    key = next((key for key, name in DAYS.items() if len(day) >= 3 and name.lower().startswith(day)), None)
    if match is None or key is None:
        raise InvalidHours(f"Line {number}: start with a day and its hours, like Mon 08:00-20:00.")
    return key, _spans(match[2].strip().lower())


def read_spans(text: str) -> list[list[str]]:
    """The hours of one day: "closed", "24 hours", "10:00-16:00, 18:00-20:00". Raises InvalidHours."""
    spans = _spans(text)
    read_week({"mon": spans})
    return spans


def _spans(text: str) -> list[list[str]]:
    if text == "closed":
        return []
    if text in _ALL_DAY:
        return [["00:00", "24:00"]]
    return [[_padded(moment) for moment in _DASH.split(span.strip())] for span in text.split(",")]


def _padded(moment: str) -> str:
    """9:00 is meant as 09:00, and so is the 09:00:00 of a spreadsheet."""
    try:
        at = read_time(moment)
    except InvalidValue:
        return moment
    return moment if at.second else f"{at:%H:%M}"


def bank_holiday(day: date) -> str:
    """Its name, or "" for a day like others."""
    return _of_year(day.year).get(day, "")


@cache
def _of_year(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("GB", subdiv="ENG", years=year))


NOT_KNOWN = "Opening hours not known"
_WEEKDAYS = tuple(DAYS.values())
_LOOK_AHEAD = 8


@dataclass(frozen=True)
class OpeningState:
    """`open_now` is None when the hours are not known; `changes_at` when it closes or opens next (UTC).

    `reopens_at`: when it opens after it closes next. `note`: what else to know today, or "".
    """

    open_now: bool | None
    text: str
    changes_at: datetime | None = None
    reopens_at: datetime | None = None
    note: str = ""


class _Stretch(NamedTuple):
    start: datetime
    end: datetime


def opening_state(hours: object, *, now: datetime, on_bank_holidays: object = None) -> OpeningState:
    """`hours` as `directory.hours` keeps them; what cannot be read counts as not known.

    `on_bank_holidays`: the spans of every bank holiday ([["10:00", "16:00"]]); None: not known.
    """
    week = readable_week(hours)
    if week is None:
        return OpeningState(None, NOT_KNOWN)
    holiday = None if on_bank_holidays is None else readable_week({"mon": on_bank_holidays})
    today = in_london(now).date()
    following = [stretch for stretch in _merged(_stretches(week, holiday, today)) if stretch.end > now]
    note = holiday_note(today) if holiday is None else ""
    if not following:
        return OpeningState(False, "Closed", note=note)
    return replace(_judge(following, now), note=note)


def holiday_note(day: date) -> str:
    """What to know of a bank holiday whose hours are not known; "" on other days."""
    name = bank_holiday(day)
    return f"Today is a bank holiday ({name}), so the hours may differ. Phone first." if name else ""


def _judge(following: Sequence[_Stretch], now: datetime) -> OpeningState:
    stretch = following[0]
    if stretch.start > now:
        return OpeningState(False, f"Opens {when(stretch.start, now)}", stretch.start)
    if stretch.end - now > timedelta(days=_LOOK_AHEAD - 1):
        return OpeningState(True, "Open 24 hours")
    reopens = following[1].start if len(following) > 1 else None
    return OpeningState(True, f"Open now until {_until(stretch.end, now)}", stretch.end, reopens)


def _merged(stretches: Iterable[_Stretch]) -> Iterator[_Stretch]:
    """In order; those that touch are one."""
    current: _Stretch | None = None
    for stretch in sorted(stretches):
        if current is not None and stretch.start <= current.end:
            current = _Stretch(current.start, max(current.end, stretch.end))
            continue
        if current is not None:
            yield current
        current = stretch
    if current is not None:
        yield current


def _stretches(week: Week, holiday: Week | None, today: date, ahead: int = _LOOK_AHEAD) -> Iterator[_Stretch]:
    for offset in range(-1, ahead + 1):
        day = today + timedelta(days=offset)
        for span in _spans_of(day, week, holiday):
            stretch = _Stretch(_moment(day, span.start), _moment(day, span.end))
            # The hour that the clocks skip can swallow a span whole.
            if stretch.start < stretch.end:
                yield stretch


_TOO_SHORT, _SOON_AGAIN = timedelta(minutes=30), timedelta(hours=24)


def is_open_in_time(hours: object, *, now: datetime, on_bank_holidays: object = None) -> bool:
    """Whether a pharmacy can see somebody who is sent there now (guide, Application 5): open for more than
    half an hour yet, or open again within a day. One whose hours are not known counts as open.
    """
    week = readable_week(hours)
    if week is None:
        return True
    holiday = None if on_bank_holidays is None else readable_week({"mon": on_bank_holidays})
    following = _merged(_stretches(week, holiday, in_london(now).date(), ahead=2))
    return any(
        each.end - now > _TOO_SHORT and each.start - now <= _SOON_AGAIN
        for each in following
        if each.end > now
    )


def _spans_of(day: date, week: Week, holiday: Week | None) -> tuple[Span, ...]:
    """The hours of bank holidays were read as those of a Monday."""
    return holiday[0] if holiday is not None and bank_holiday(day) else week[day.weekday()]


def _moment(day: date, minutes: int) -> datetime:
    """So many minutes after midnight by the clock on the wall; in UTC, so that differences are true.

    Times that the clocks skip or repeat mean what PEP 495 says without a fold: the first of the two hours in
    October; in March the moment as if the clocks had not changed.
    """
    days, rest = divmod(minutes, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), time(*divmod(rest, 60)), tzinfo=LONDON)
    return wall.astimezone(UTC)


def _until(moment: datetime, now: datetime) -> str:
    """20:00, 08:00 tomorrow, Monday at 08:00; midnight belongs to the day that it ends."""
    if in_london(moment).time() == time(0):
        return f"midnight {_day_of(moment - timedelta(minutes=1), now)}".rstrip()
    days = _days_ahead(moment, now)
    return _named(moment) if days > 1 else f"{format_time(moment)} {_day_of(moment, now)}".rstrip()


def _day_of(moment: datetime, now: datetime) -> str:
    days = _days_ahead(moment, now)
    return ("", "tomorrow")[days] if days <= 1 else f"on {_WEEKDAYS[in_london(moment).weekday()]}"


def when(moment: datetime, now: datetime) -> str:
    """today at 08:00, Monday at 08:00, next Tuesday at 08:00."""
    days = _days_ahead(moment, now)
    if days <= 1:
        return f"{('today', 'tomorrow')[days]} at {format_time(moment)}"
    return _named(moment) if days < len(_WEEKDAYS) else f"next {_named(moment)}"


def _named(moment: datetime) -> str:
    return f"{_WEEKDAYS[in_london(moment).weekday()]} at {format_time(moment)}"


def _days_ahead(moment: datetime, now: datetime) -> int:
    return (in_london(moment).date() - in_london(now).date()).days


# A patient needs time to get there, and the pharmacist time to see them.
CLOSING_SOON = timedelta(hours=1)


def pharmacy_note(state: OpeningState, *, now: datetime) -> str:
    """A sentence about closing and next opening, or "" when the patient can simply go.

    A pharmacy sees patients who walk in, without a time (standard section 9, workflow 5): whether it is open
    when they arrive decides.
    """
    if state.open_now is None or state.changes_at is None:
        return "" if state.open_now else "Phone the pharmacy before you send a patient there."
    if not state.open_now:
        return f"This pharmacy is closed. Tell the patient that it opens {when(state.changes_at, now)}."
    left = state.changes_at - now
    if left > CLOSING_SOON:
        return ""
    minutes = max(int(left.total_seconds() // 60), 1)
    then = f" It opens again {when(state.reopens_at, now)}." if state.reopens_at else ""
    return f"This pharmacy closes in {minutes} minute{'' if minutes == 1 else 's'}.{then}"
