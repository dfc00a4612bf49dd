"""Slots of a weekly pattern, above all on the days when the clocks change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.timestamps import LONDON
from bars_portal.nhsuk.dates import london_midnight
from bookings.models import Schedule
from bookings.models.diary import Period, slot_times, times_between


def schedule(**changes: Any) -> Schedule:
    return Schedule(**{"name": "Room 1", **changes})


def starts(pattern: Schedule, day: date, days: int = 1) -> list[datetime]:
    return [start for start, _ in slot_times(pattern, first_day=day, days=days)]


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (date(2026, 10, 24), datetime(2026, 10, 24, 7, 0, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 8, 0, tzinfo=UTC)),
        (date(2027, 3, 27), datetime(2027, 3, 27, 8, 0, tzinfo=UTC)),
        (date(2027, 3, 28), datetime(2027, 3, 28, 7, 0, tzinfo=UTC)),
    ],
)
def test_eight_in_london_is_eight_in_london(day: date, first: datetime) -> None:
    made = starts(schedule(), day)
    assert made[0] == first
    assert len(made) == 48


def test_the_hour_that_is_skipped_in_spring_has_no_slots() -> None:
    night = schedule(day_start=time(0), day_end=time(4), slot_minutes=30)
    wall = [f"{start.astimezone(LONDON):%H:%M}" for start in starts(night, date(2027, 3, 28))]
    assert wall == ["00:00", "00:30", "02:00", "02:30", "03:00", "03:30"]


def test_a_start_that_the_clock_skips_is_not_made_up_for_later() -> None:
    night = schedule(day_start=time(0), day_end=time(4), slot_minutes=40)
    wall = [f"{start.astimezone(LONDON):%H:%M}" for start in starts(night, date(2027, 3, 28))]
    assert wall == ["00:00", "00:40", "02:40", "03:20"], "02:00 lies within the slot before it"


def test_the_hour_that_comes_twice_in_autumn_is_offered_once() -> None:
    night = schedule(day_start=time(0), day_end=time(4), slot_minutes=30)
    made = starts(night, date(2026, 10, 25))
    assert len(made) == len(set(made)) == 8
    assert made[2] == datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "01:00 the first time, in summer time"


def test_only_the_days_of_the_week_that_are_chosen() -> None:
    weekend = schedule(weekdays=[5, 6])
    made = starts(weekend, date(2026, 11, 16), days=14)
    assert {start.date() for start in made} == {date(2026, 11, day) for day in (21, 22, 28, 29)}


def test_the_last_slot_ends_before_the_day_does() -> None:
    odd = schedule(day_start=time(9), day_end=time(10), slot_minutes=25)
    assert len(starts(odd, date(2026, 11, 16))) == 2


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (date(2026, 11, 16), 24, datetime(2026, 11, 17, 0, 0, tzinfo=UTC)),
        (date(2026, 7, 14), 24, datetime(2026, 7, 14, 23, 0, tzinfo=UTC)),
        # The hour that is skipped has no slot, the one that comes twice has one.
        (date(2027, 3, 28), 23, datetime(2027, 3, 28, 23, 0, tzinfo=UTC)),
        (date(2026, 10, 25), 24, datetime(2026, 10, 26, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_diary_until_24_00(day: date, count: int, last: datetime) -> None:
    night = schedule(day_start=time(0), day_end=time(0), slot_minutes=60)
    made = list(slot_times(night, first_day=day, days=2))
    first_day = [each for each in made if each[0] < last]
    assert (len(first_day), first_day[-1][1]) == (count, last)
    assert made[count][0] == last, "the next day begins where this one ends"


def test_the_last_slot_before_24_00_is_whole() -> None:
    late = schedule(day_start=time(22, 50), day_end=time(0), slot_minutes=25)
    assert [f"{each.astimezone(LONDON):%H:%M}" for each in starts(late, date(2026, 7, 14))] == [
        "22:50",
        "23:15",
    ]


periods = st.lists(st.integers(0, 60), unique=True, max_size=20).map(
    lambda marks: [(one, other) for one, other in batched_in_order(marks)]
)


def batched_in_order(marks: list[int]) -> Iterator[tuple[datetime, datetime]]:
    """Neighbouring marks, every other pair of them: in order, and no two overlap."""
    moments = [datetime(2026, 11, 16, tzinfo=UTC) + timedelta(minutes=mark) for mark in sorted(marks)]
    return zip(moments[::2], moments[1::2], strict=False)


@given(there=periods, times=periods)
def test_what_fits_between_slots_is_what_overlaps_none(there: list[Period], times: list[Period]) -> None:
    wanted = [each for each in times if not any(each[0] < slot[1] and slot[0] < each[1] for slot in there)]
    assert times_between(there, times) == wanted


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    minutes=st.integers(5, 480),
    begin=st.integers(0, 22),
)
@example(day=date(2024, 3, 31), minutes=14, begin=0)  # 00:56 lasts until 02:10, over the start at 02:06
def test_slots_never_overlap_and_have_their_length(day: date, minutes: int, begin: int) -> None:
    pattern = schedule(day_start=time(begin), day_end=time(0), slot_minutes=minutes)
    made = sorted(slot_times(pattern, first_day=day, days=1))
    assert all(end - start == timedelta(minutes=minutes) for start, end in made)
    assert all(london_midnight(day) <= start for start, _ in made)
    # An hour that comes twice is only offered the first time, so nothing can overlap.
    assert all(one[1] <= other[0] for one, other in pairwise(made))
