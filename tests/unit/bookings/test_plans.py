"""What slots follow from a plan, and what becomes of those that are there, above all where clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.timestamps import LONDON
from bookings.models.plan import ExceptionalDay, Hours, Period, Plan, Session, SlotRow, compared, day_times

WEEK = tuple(range(7))
MONDAY = date(2026, 11, 23)


def hours(start: str, end: str) -> Hours:
    return Hours(time.fromisoformat(start), time.fromisoformat(end) if end != "24:00" else time(0))


def plan(*sessions: tuple[str, str], **changes: Any) -> Plan:
    named: dict[str, Any] = {
        "name": "Clinic",
        "first_day": date(2026, 1, 1),
        "last_day": None,
        "slot_minutes": 20,
    }
    rows = tuple(Session(WEEK, hours(*each)) for each in sessions or [("09:00", "12:00")])
    return Plan(**{**named, "sessions": rows, **changes})


def open_on(made: Plan, day: date = MONDAY, *, is_holiday: bool = False) -> list[str]:
    return [each.words for each in made.hours_of(day, is_holiday=is_holiday)]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (plan(), ["09:00 to 12:00"]),
        (plan(("13:00", "24:00"), ("09:00", "12:00")), ["09:00 to 12:00", "13:00 to 24:00"]),
        (plan(breaks=(hours("10:00", "10:30"),)), ["09:00 to 10:00", "10:30 to 12:00"]),
        (plan(breaks=(hours("08:00", "09:30"), hours("11:30", "13:00"))), ["09:30 to 11:30"]),
        (plan(breaks=(hours("08:00", "13:00"),)), []),
        (plan(first_day=MONDAY + timedelta(days=1)), []),
        (plan(last_day=MONDAY - timedelta(days=1)), []),
        (plan(last_day=MONDAY), ["09:00 to 12:00"]),
        (plan(sessions=(Session((1,), hours("09:00", "12:00")),)), []),
        (plan(exceptions=(ExceptionalDay(MONDAY, ()),)), []),
        (plan(exceptions=(ExceptionalDay(MONDAY, (hours("14:00", "15:00"),)),)), ["14:00 to 15:00"]),
    ],
)
def test_when_it_is_open(made: Plan, expected: list[str]) -> None:
    assert open_on(made) == expected


def test_bank_holidays_are_left_out_unless_it_says_otherwise() -> None:
    assert open_on(plan(), is_holiday=True) == []
    assert open_on(plan(on_bank_holidays=True), is_holiday=True) == ["09:00 to 12:00"]
    own = plan(exceptions=(ExceptionalDay(MONDAY, (hours("10:00", "11:00"),)),))
    assert open_on(own, is_holiday=True) == ["10:00 to 11:00"], "who names the date means it"


@pytest.mark.parametrize(
    ("day", "wall"),
    [
        (date(2027, 3, 28), ["00:30", "02:00", "02:30"]),
        (date(2026, 10, 25), ["00:30", "01:00", "01:30", "02:00", "02:30"]),
    ],
)
def test_the_days_when_the_clocks_change(day: date, wall: list[str]) -> None:
    made = list(day_times(day, plan(("00:30", "03:00")).hours_of(day, is_holiday=False), 30))
    assert [f"{start.astimezone(LONDON):%H:%M}" for start, _ in made] == wall
    assert all(one[1] <= other[0] for one, other in pairwise(made))


_clock = st.integers(0, 23 * 12).map(lambda fives: time(*divmod(fives * 5, 60)))
_hours = st.tuples(_clock, _clock).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Hours(*pair))
_plans = st.builds(
    Plan,
    name=st.text(max_size=10),
    first_day=st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    last_day=st.none() | st.dates(date(2027, 1, 1), date(2028, 1, 1)),
    sessions=st.lists(st.builds(Session, st.just(WEEK), _hours), max_size=3).map(tuple),
    slot_minutes=st.integers(5, 90),
    breaks=st.lists(_hours, max_size=2).map(tuple),
    exceptions=st.lists(st.builds(ExceptionalDay, st.dates(), st.lists(_hours).map(tuple)), max_size=2).map(
        tuple
    ),
    lanes=st.integers(1, 4),
)


@given(made=_plans)
def test_a_plan_is_kept_whole(made: Plan) -> None:
    assert Plan.from_json(made.as_json()) == made


_marks = st.lists(st.integers(0, 60), unique=True, max_size=16).map(sorted)


def _periods(marks: list[int]) -> list[Period]:
    moments = [datetime(2026, 11, 16, tzinfo=UTC) + timedelta(minutes=mark) for mark in marks]
    return list(zip(moments[::2], moments[1::2], strict=False))


@given(
    marks=_marks,
    wanted=_marks,
    kinds=st.lists(st.sampled_from(["free", "busy", "busy-unavailable"]), min_size=8),
)
def test_nothing_booked_goes_and_nothing_overlaps(
    marks: list[int], wanted: list[int], kinds: list[str]
) -> None:
    there = [
        SlotRow(place, *each, kinds[place], "added" if place % 3 == 0 else "planned")
        for place, each in enumerate(_periods(marks))
    ]
    since = datetime(2026, 11, 16, 0, 10, tzinfo=UTC)
    times = [each for each in _periods(wanted) if each[0] >= since]
    change = compared(1, wanted=times, there=there, since=since, busy="busy", added="added")
    gone = {each.id for each in change.withdrawn}
    assert not any(
        each.status == "busy" or each.standing == "added" or each.start < since for each in change.withdrawn
    )
    after = sorted([*change.made, *(each.period for each in there if each.id not in gone)])
    assert all(one[1] <= other[0] for one, other in pairwise(after))
    assert sorted([*change.made, *change.clashes, *(each.period for each in change.same)]) == times
