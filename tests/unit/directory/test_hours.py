from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import DAYS, InvalidHours, Span, read_hours, read_week, write_hours

clock = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}")
spans = st.tuples(clock, clock | st.just("24:00")).map(list)
days = st.dictionaries(st.sampled_from(list(DAYS)), st.lists(spans, max_size=1), max_size=7)


def test_reads_a_week() -> None:
    week = read_week({"mon": [["13:00", "17:00"], ["08:00", "12:00"]], "fri": [["22:00", "06:00"]]})

    assert week is not None
    assert week[0] == (Span(480, 720), Span(780, 1020))
    assert week[4] == (Span(1320, 1800),)
    assert week[1] == ()


def test_no_days_is_not_known() -> None:
    assert read_week({}) is None


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "mon",
        {"monday": []},
        {"mon": "08:00-20:00"},
        {"mon": [["08:00"]]},
        {"mon": [["8:00", "20:00"]]},
        {"mon": [["08:00", "25:00"]]},
        {"mon": [["24:00", "08:00"]]},
        {"mon": [["08:00", 20]]},
        {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]},
        {"mon": [["08:00", "09:00"]] * 7},
        {"mon": [["08:00\n", "09:00"]]},
    ],
)
def test_refuses_what_is_no_week(stored: object) -> None:
    with pytest.raises(InvalidHours):
        read_week(stored)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_json_of_any_kind_is_read_or_refused(stored: Any) -> None:
    with suppress(InvalidHours):
        read_week(stored)


@given(days)
def test_what_is_written_is_read_back(stored: dict[str, list[list[str]]]) -> None:
    again = read_hours(write_hours(stored))

    assert read_week(again) == read_week(stored)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", {}),
        ("\n  \n", {}),
        ("Mon 08:00-20:00", {"mon": [["08:00", "20:00"]]}),
        ("monday: 8:00 to 20:00", {"mon": [["08:00", "20:00"]]}),
        ("Tues 08:00\u201312:00, 13:00 - 17:00", {"tue": [["08:00", "12:00"], ["13:00", "17:00"]]}),
        ("Sat 24 hours\nSun closed", {"sat": [["00:00", "24:00"]], "sun": []}),
    ],
)
def test_reads_what_managers_type(text: str, stored: object) -> None:
    assert read_hours(text) == stored


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mon", "Line 1"),
        ("Someday 08:00-20:00", "Line 1"),
        ("Mon 08:00-20:00\nMo 08:00-20:00", "Line 2"),
        ("Mon closed\nMon closed", "Line 2: Monday is there twice"),
        ("Mon 08:00", "Monday: a span has a start and an end"),
        ("Mon 08:00-26:00", "Monday: enter times like"),
        ("Mon soon-later", "Monday: enter times like"),
        ("Wed 08:00-12:00, 11:00-13:00", "Wednesday: two spans overlap"),
        ("Mon 08:00-\x00", "Monday: enter times like"),
    ],
)
def test_says_where_the_text_is_wrong(text: str, words: str) -> None:
    with pytest.raises(InvalidHours, match=words):
        read_hours(text)


@given(st.text(max_size=60))
def test_text_of_any_kind_is_read_or_refused(text: str) -> None:
    with suppress(InvalidHours):
        read_hours(text)
