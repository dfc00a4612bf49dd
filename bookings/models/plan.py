"""What a clinic is to be like, in London time, and which slots follow. Pure: no database, no clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, Self

from bars_portal.exchange.fhir.timestamps import LONDON

MIDNIGHT = time(0)
_DAY = 24 * 60
# Start and end, aware.
Period = tuple[datetime, datetime]


class Hours(NamedTuple):
    """A stretch of a day on the clock; an end of 00:00 is 24:00."""

    start: time
    end: time

    @property
    def minutes(self) -> tuple[int, int]:
        """Both as minutes of the day."""
        start, end = (each.hour * 60 + each.minute for each in self)
        return start, end or _DAY

    @property
    def words(self) -> str:
        return f"{self.start:%H:%M} to {end_in_words(self.end)}"


def end_in_words(end: time) -> str:
    return "24:00" if end == MIDNIGHT else f"{end:%H:%M}"


class Session(NamedTuple):
    """Hours on some days of the week: 0 is Monday."""

    weekdays: tuple[int, ...]
    hours: Hours


class ExceptionalDay(NamedTuple):
    """A date with hours of its own; none: closed. It counts on a bank holiday too."""

    day: date
    hours: tuple[Hours, ...]


@dataclass(frozen=True)
class Plan:
    """All that a manager says of a clinic. `lanes`: how many patients are seen at once, each in an own diary.

    A slot can be booked until `lead_minutes` before it starts, and is made `horizon_days` ahead. Breaks are
    of every day but exceptional ones.
    """

    name: str
    first_day: date
    last_day: date | None
    sessions: tuple[Session, ...]
    slot_minutes: int
    breaks: tuple[Hours, ...] = ()
    exceptions: tuple[ExceptionalDay, ...] = ()
    lanes: int = 1
    lead_minutes: int = 0
    horizon_days: int = 28
    on_bank_holidays: bool = False
    delivery_channel: str = ""
    practitioner_prefix: str = ""
    practitioner_given: str = ""
    practitioner_family: str = ""
    practitioner_gender: str = ""
    practitioner_role_code: str = ""
    practitioner_role: str = ""
    location_name: str = ""

    def hours_of(self, day: date, *, is_holiday: bool) -> list[Hours]:
        """When the clinic is open that day, in order."""
        for each in self.exceptions:
            if each.day == day:
                return sorted(each.hours, key=lambda hours: hours.minutes)
        if day < self.first_day or (self.last_day is not None and day > self.last_day):
            return []
        if is_holiday and not self.on_bank_holidays:
            return []
        open_at = [each.hours for each in self.sessions if day.weekday() in each.weekdays]
        return list(without(sorted(open_at, key=lambda hours: hours.minutes), self.breaks))

    def as_json(self) -> dict[str, Any]:
        """For a JSON column; `from_json` reads it back."""
        written: dict[str, Any] = _written(asdict(self))
        return written

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        known = {each.name for each in fields(cls)}
        kept = {name: value for name, value in stored.items() if name in known}
        return cls(
            **{
                **kept,
                "first_day": date.fromisoformat(stored["first_day"]),
                "last_day": date.fromisoformat(stored["last_day"]) if stored["last_day"] else None,
                "sessions": tuple(Session(tuple(days), _hours(pair)) for days, pair in stored["sessions"]),
                "breaks": tuple(_hours(pair) for pair in stored["breaks"]),
                "exceptions": tuple(
                    ExceptionalDay(date.fromisoformat(day), tuple(_hours(pair) for pair in hours))
                    for day, hours in stored["exceptions"]
                ),
            }
        )


def _hours(pair: Sequence[str]) -> Hours:
    return Hours(time.fromisoformat(pair[0]), time.fromisoformat(pair[1]))


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _written(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written(each) for each in value]
    return value.isoformat() if isinstance(value, date | time) else value


def without(open_at: Iterable[Hours], breaks: Iterable[Hours]) -> Iterator[Hours]:
    """What is left of each stretch when the breaks are taken out."""
    for hours in open_at:
        begin, end = hours.minutes
        for pause_start, pause_end in sorted(each.minutes for each in breaks):
            if pause_end <= begin or pause_start >= end:
                continue
            if pause_start > begin:
                yield _clock(begin, pause_start)
            begin = pause_end
        if begin < end:
            yield _clock(begin, end)


def _clock(begin: int, end: int) -> Hours:
    return Hours(time(*divmod(begin, 60)), time(*divmod(end % _DAY, 60)))


def day_times(day: date, stretches: Iterable[Hours], minutes: int) -> Iterator[Period]:
    """(start, end) in UTC of every slot of a London day, stretches in order; each lasts exactly its minutes.

    Slots start at their wall time. A start that the clock skips in spring is left out, or one within the slot
    before it. The hour that comes twice in autumn is offered once, the first time round.
    """
    length = timedelta(minutes=minutes)
    free_from = datetime.min.replace(tzinfo=UTC)
    for hours in stretches:
        wall = datetime.combine(day, hours.start)
        close = datetime.combine(day, hours.end) + timedelta(days=hours.end == MIDNIGHT)
        while wall + length <= close:
            start = wall.replace(tzinfo=LONDON).astimezone(UTC)
            if start >= free_from and start.astimezone(LONDON).replace(tzinfo=None) == wall:
                free_from = start + length
                yield start, free_from
            wall += length


class SlotRow(NamedTuple):
    """A slot that is there and not withdrawn. `status` and `standing` as in the model."""

    id: Any
    start: datetime
    end: datetime
    status: str
    standing: str

    @property
    def period(self) -> Period:
        return self.start, self.end


@dataclass
class LaneChange:
    """What becomes of one diary: times to make, slots to withdraw, slots that are booked and so stay though
    the plan has no place for them, and times that can have no slot since one that stays runs into them.
    """

    lane: int
    made: list[Period] = field(default_factory=list)
    withdrawn: list[SlotRow] = field(default_factory=list)
    kept: list[SlotRow] = field(default_factory=list)
    clashes: list[Period] = field(default_factory=list)
    same: list[SlotRow] = field(default_factory=list)


def compared(
    lane: int, *, wanted: Sequence[Period], there: Sequence[SlotRow], since: datetime, busy: str, added: str
) -> LaneChange:
    """`wanted` and `there` in order of time, each without overlaps.

    What began before `since` is only in the way. `busy` is the status of what is booked, `added` the standing
    of what somebody added by hand: that stays.
    """
    change, times = LaneChange(lane), set(wanted)
    staying: list[Period] = []
    for slot in there:
        if slot.start < since:
            staying.append(slot.period)
        elif slot.period in times:
            change.same.append(slot)
            staying.append(slot.period)
        elif slot.standing == added:
            staying.append(slot.period)
        elif slot.status == busy:
            change.kept.append(slot)
            staying.append(slot.period)
        else:
            change.withdrawn.append(slot)
    change.made = times_between(staying, wanted)
    placed = {*change.made, *(each.period for each in change.same)}
    change.clashes = [each for each in wanted if each not in placed]
    return change


def times_between(there: Sequence[Period], times: Iterable[Period]) -> list[Period]:
    """Those of `times` that overlap nothing in `there`; both in order of time and without overlaps."""
    found: list[Period] = []
    place = 0
    for start, end in times:
        while place < len(there) and there[place][1] <= start:
            place += 1
        if place == len(there) or end <= there[place][0]:
            found.append((start, end))
    return found
