from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import DAYS, NOT_KNOWN, opening_state

EVERY_DAY = {day: [["08:00", "20:00"]] for day in DAYS}
NIGHTS = {day: [["22:00", "06:00"]] for day in DAYS}
ALWAYS = {day: [["00:00", "24:00"]] for day in DAYS}
WEEKDAYS = {day: [["08:00", "18:00"]] for day in list(DAYS)[:5]}
LATE = {"sat": [["20:00", "24:00"]], "sun": [["00:00", "02:00"]]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# 14 July 2026 is a Tuesday; London is an hour ahead of UTC.
@pytest.mark.parametrize(
    ("hours", "now", "open_now", "text"),
    [
        (EVERY_DAY, "2026-07-14T12:00+00:00", True, "Open now until 20:00"),
        (EVERY_DAY, "2026-07-14T07:00+00:00", True, "Open now until 20:00"),
        (EVERY_DAY, "2026-07-14T06:59+00:00", False, "Opens today at 08:00"),
        (EVERY_DAY, "2026-07-14T19:00+00:00", False, "Opens tomorrow at 08:00"),
        (EVERY_DAY, "2026-07-14T23:30+00:00", False, "Opens today at 08:00"),
        (WEEKDAYS, "2026-07-17T18:00+00:00", False, "Opens Monday at 08:00"),
        ({"tue": [["08:00", "09:00"]]}, "2026-07-14T09:00+00:00", False, "Opens next Tuesday at 08:00"),
        (NIGHTS, "2026-07-14T22:00+00:00", True, "Open now until 06:00 tomorrow"),
        (NIGHTS, "2026-07-14T01:00+00:00", True, "Open now until 06:00"),
        (NIGHTS, "2026-07-14T05:00+00:00", False, "Opens today at 22:00"),
        (ALWAYS, "2026-07-14T12:00+00:00", True, "Open 24 hours"),
        ({**ALWAYS, "wed": []}, "2026-07-14T12:00+00:00", True, "Open now until midnight"),
        ({**ALWAYS, "thu": []}, "2026-07-14T12:00+00:00", True, "Open now until midnight tomorrow"),
        ({**ALWAYS, "sun": []}, "2026-07-14T12:00+00:00", True, "Open now until midnight on Saturday"),
        (LATE, "2026-07-18T21:00+00:00", True, "Open now until 02:00 tomorrow"),
        ({"mon": []}, "2026-07-14T12:00+00:00", False, "Closed"),
        ({}, "2026-07-14T12:00+00:00", None, NOT_KNOWN),
        ({"mon": "nonsense"}, "2026-07-14T12:00+00:00", None, NOT_KNOWN),
        (None, "2026-07-14T12:00+00:00", None, NOT_KNOWN),
    ],
)
def test_says_what_holds_now(hours: object, now: str, open_now: bool | None, text: str) -> None:
    state = opening_state(hours, now=at(now))

    assert (state.open_now, state.text) == (open_now, text)


@pytest.mark.parametrize(
    ("hours", "now", "changes_at"),
    [
        # Clocks go forward on 29 March 2026 at 01:00 GMT: the night is an hour shorter.
        ({"sat": [["22:00", "06:00"]]}, "2026-03-29T00:30+00:00", "2026-03-29T05:00+00:00"),
        ({"sun": [["08:00", "20:00"]]}, "2026-03-28T23:00+00:00", "2026-03-29T07:00+00:00"),
        # And back on 25 October 2026 at 02:00 BST: it is an hour longer.
        ({"sat": [["22:00", "06:00"]]}, "2026-10-25T00:30+00:00", "2026-10-25T06:00+00:00"),
        ({"sun": [["08:00", "20:00"]]}, "2026-10-24T23:00+00:00", "2026-10-25T08:00+00:00"),
        # The first of the two half past ones.
        ({"sun": [["00:30", "01:30"]]}, "2026-10-25T00:00+00:00", "2026-10-25T00:30+00:00"),
    ],
)
def test_follows_the_clocks_when_they_change(hours: object, now: str, changes_at: str) -> None:
    assert opening_state(hours, now=at(now)).changes_at == at(changes_at)


def test_marks_the_hour_that_comes_twice() -> None:
    state = opening_state({"sun": [["00:30", "01:30"]]}, now=at("2026-10-25T00:00+00:00"))

    assert state.text == "Open now until 01:30 BST"


clock = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}")
weeks = st.dictionaries(
    st.sampled_from(list(DAYS)), st.lists(st.tuples(clock, clock).map(list), max_size=1), min_size=1
)
YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 365 * 24 * 60).map(lambda minutes: YEAR_START + timedelta(minutes=minutes))
change_days = st.sampled_from([datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
around_changes = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes), change_days, st.integers(0, 480)
)


@given(weeks, moments | around_changes)
def test_the_state_holds_until_it_changes(hours: dict[str, list[list[str]]], now: datetime) -> None:
    state = opening_state(hours, now=now)
    if state.changes_at is None:
        return

    assert state.changes_at > now
    just_before = opening_state(hours, now=state.changes_at - timedelta(seconds=1))
    assert just_before.open_now is state.open_now
    assert opening_state(hours, now=state.changes_at).open_now is not state.open_now


@given(moments | around_changes)
def test_open_day_and_night_is_always_open(now: datetime) -> None:
    state = opening_state(ALWAYS, now=now)
    assert (state.open_now, state.text, state.changes_at) == (True, "Open 24 hours", None)


def test_a_moment_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        opening_state(EVERY_DAY, now=datetime(2026, 7, 14, 12))  # noqa: DTZ001 - the naive case itself
