from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.nhsuk import dates

SUMMER = datetime(2026, 7, 14, 13, 30, tzinfo=UTC)
WINTER = datetime(2026, 1, 5, 9, 5, tzinfo=UTC)


def test_dates_and_times_are_london_time() -> None:
    assert dates.format_date(SUMMER) == "14 July 2026"
    assert dates.format_time(SUMMER) == "14:30"
    assert dates.format_datetime(SUMMER) == "Tuesday 14 July 2026 at 14:30"
    assert dates.format_time(WINTER) == "09:05"


def test_a_late_evening_in_utc_is_the_next_day_in_london() -> None:
    assert dates.format_date(datetime(2026, 7, 14, 23, 30, tzinfo=UTC)) == "15 July 2026"


@pytest.mark.parametrize(
    ("day", "mark"),
    [
        (date(2026, 3, 29), "clocks go forward 1 hour"),
        (date(2026, 10, 25), "clocks go back 1 hour"),
        (date(2026, 10, 24), ""),
        (date.max, ""),
    ],
)
def test_clock_changes_are_marked(day: date, mark: str) -> None:
    assert dates.clock_change(day) == mark


def test_the_hour_that_comes_twice_names_its_zone() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert dates.format_time(first) == "01:30 BST"
    assert dates.format_time(first + timedelta(hours=1)) == "01:30 GMT"
    assert dates.format_datetime(first).endswith("at 01:30 BST (clocks go back 1 hour)")
    assert dates.format_second(first + timedelta(seconds=7), first) == "01:30:07 BST"


def test_seconds_are_told_of_today_alone() -> None:
    assert dates.format_second(SUMMER + timedelta(seconds=9), SUMMER) == "14:30:09"
    assert dates.format_second(SUMMER, SUMMER + timedelta(days=1)) == "Tuesday 14 July 2026 at 14:30"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-30, "less than a minute ago"),
        (-60, "1 minute ago"),
        (-7200, "2 hours ago"),
        (90_000, "in 1 day"),
        (5, "in less than a minute"),
    ],
)
def test_relative_time_always_comes_with_the_absolute(seconds: int, words: str) -> None:
    moment = SUMMER + timedelta(seconds=seconds)
    assert dates.format_relative(moment, SUMMER) == f"{words} ({dates.format_datetime(moment)})"


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(1945, 7, 14), "81y"),
        (date(1945, 7, 15), "80y"),
        (date(2024, 7, 14), "2y"),
        (date(2024, 7, 15), "23m"),
        (date(2026, 6, 30), "14d"),
        (date(2026, 7, 15), ""),
    ],
)
def test_age(born: date, age: str) -> None:
    assert dates.format_age(born, date(2026, 7, 14)) == age


def test_a_birth_date_has_its_month_in_letters() -> None:
    assert dates.format_birth_date(date(1945, 7, 4)) == "04-Jul-1945"


def test_a_moment_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        dates.format_time(datetime(2026, 7, 14, 13, 30))  # noqa: DTZ001 - the fault under test


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2199, 12, 31)))  # noqa: DTZ001
def test_every_moment_has_words(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    assert dates.format_time(moment)[:5] in dates.format_datetime(moment)


@given(st.dates(min_value=date(1900, 1, 1)), st.dates(max_value=date(2199, 12, 31)))
def test_age_is_never_negative(born: date, on: date) -> None:
    assert not dates.format_age(born, on).startswith("-")
