"""Instants: every spelling in use is understood, and what is written reads back."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.timestamps import (
    InvalidInstant,
    borne_out,
    format_instant,
    format_london,
    parse_instant,
)

NOON = datetime(2022, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2022-03-01T12:00:00Z",
        "2022-03-01T12:00:00+00:00",
        "2022-03-01T12:00:00 00:00",
        "2022-03-01T12:00:00+00",
        "2022-03-01T12:00:00+0000",
        "2022-03-01T12:00+00:00",
        "2022-03-01T13:00:00.000000000+01:00",
        "2022-03-01T07:00:00-05:00",
        "2022-03-01T07:00:00-05",
    ],
)
def test_every_offset_names_the_same_moment(text: str) -> None:
    assert parse_instant(text) == NOON


def test_fractions_are_cut_to_microseconds() -> None:
    assert parse_instant("2021-10-11T15:01:30.8185338+00:00").microsecond == 818533


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T00:59:60+01:00", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.5Z", datetime(2017, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2016-12-31T23:59:60 00:00", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-06-30T12:30:60Z", datetime(2016, 6, 30, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_leap_second_is_the_second_after_it(text: str, read: datetime) -> None:
    assert parse_instant(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2016-12-31T23:59:61Z",
        "2016-12-31T23:60:00Z",
        "2016-12-31T23:60Z",
        "2016-12-31T24:59:60Z",
        "2016-02-30T23:59:60Z",
        "9999-12-31T23:59:60Z",
        "2022-03-01",
        "2022-03-01T12:00:00",
        "2022-03-01 12:00:00Z",
        "2022-02-30T12:00:00Z",
        "2022-03-01T25:00:00Z",
        "2022-03-01T12:00:00+15:00",
        "2022-03-01T12:00:00+01:75",
        "2022-03-01T12:00:00.1234567890Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٢-03-01T12:00:00Z",
        "now",
    ],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidInstant) as caught:
        parse_instant(text)
    assert not text or text not in str(caught.value)


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=offsets)  # noqa: DTZ001 - bounds


@given(moments)
def test_what_is_written_reads_back(moment: datetime) -> None:
    written = format_instant(moment)
    assert re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{7}\+00:00", written)
    assert parse_instant(written) == moment
    assert parse_instant(format_london(moment)) == moment


@given(st.text(max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with suppress(InvalidInstant):
        assert parse_instant(text).utcoffset() is not None


@pytest.mark.parametrize(
    ("month", "text"), [(1, "2030-01-01T12:00:00.0000000+00:00"), (7, "2030-07-01T13:00:00.0000000+01:00")]
)
def test_london_time_carries_its_own_offset(month: int, text: str) -> None:
    assert format_london(datetime(2030, month, 1, 12, tzinfo=UTC)) == text


def test_a_naive_datetime_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2030, 1, 1))  # noqa: DTZ001 - the fault under test


@pytest.mark.parametrize(
    ("ahead", "counts_as"),
    [(-600, -600), (-0.001, -0.001), (0, 0), (1, -299), (299, -1), (300, 0), (300.001, 300.001)],
)
def test_what_is_a_little_ahead_of_our_clock_is_of_a_fast_one(ahead: float, counts_as: float) -> None:
    heard_at = datetime(2026, 11, 29, 10, tzinfo=UTC)
    stamp = heard_at + timedelta(seconds=ahead)
    assert borne_out(stamp, heard_at) == heard_at + timedelta(seconds=counts_as)
