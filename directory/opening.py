"""Whether a service is open now, in words. Pure; London time.

Times that the clocks skip or repeat mean what PEP 495 says without a fold: the first of the two hours in
October; in March the moment as if the clocks had not changed. On bank holidays the hours for those hold,
where they are known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from bars_portal.nhsuk.dates import LONDON, format_time, in_london
from directory.bank_holidays import bank_holiday
from directory.hours import DAY_MINUTES, DAYS, InvalidHours, Span, Week, read_week

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
    week = _readable(hours)
    if week is None:
        return OpeningState(None, NOT_KNOWN)
    holiday = None if on_bank_holidays is None else _readable({"mon": on_bank_holidays})
    today = in_london(now).date()
    following = [stretch for stretch in _merged(week, holiday, today) if stretch.end > now]
    note = holiday_note(today) if holiday is None else ""
    if not following:
        return OpeningState(False, "Closed", note=note)
    return replace(_judge(following, now), note=note)


def holiday_note(day: date) -> str:
    """What to know of a bank holiday whose hours are not known; "" on other days."""
    name = bank_holiday(day)
    return f"Today is a bank holiday ({name}), so the hours may differ. Phone first." if name else ""


def _readable(hours: object) -> Week | None:
    try:
        return read_week(hours)
    except InvalidHours:
        return None


def _judge(following: Sequence[_Stretch], now: datetime) -> OpeningState:
    stretch = following[0]
    if stretch.start > now:
        return OpeningState(False, f"Opens {when(stretch.start, now)}", stretch.start)
    if stretch.end - now > timedelta(days=_LOOK_AHEAD - 1):
        return OpeningState(True, "Open 24 hours")
    reopens = following[1].start if len(following) > 1 else None
    return OpeningState(True, f"Open now until {_until(stretch.end, now)}", stretch.end, reopens)


def _merged(week: Week, holiday: Week | None, today: date) -> Iterator[_Stretch]:
    """Stretches from yesterday on, in order; those that touch are one."""
    current: _Stretch | None = None
    for stretch in sorted(_stretches(week, holiday, today)):
        if current is not None and stretch.start <= current.end:
            current = _Stretch(current.start, max(current.end, stretch.end))
            continue
        if current is not None:
            yield current
        current = stretch
    if current is not None:
        yield current


def _stretches(week: Week, holiday: Week | None, today: date) -> Iterator[_Stretch]:
    for offset in range(-1, _LOOK_AHEAD + 1):
        day = today + timedelta(days=offset)
        for span in _spans_of(day, week, holiday):
            stretch = _Stretch(_moment(day, span.start), _moment(day, span.end))
            # The hour that the clocks skip can swallow a span whole.
            if stretch.start < stretch.end:
                yield stretch


def _spans_of(day: date, week: Week, holiday: Week | None) -> tuple[Span, ...]:
    """The hours of bank holidays were read as those of a Monday."""
    return holiday[0] if holiday is not None and bank_holiday(day) else week[day.weekday()]


def _moment(day: date, minutes: int) -> datetime:
    """So many minutes after midnight by the clock on the wall; in UTC, so that differences are true."""
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
