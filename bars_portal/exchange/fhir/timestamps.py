"""FHIR instants both ways; always zoned (standard section 7: any offset is understood)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_INSTANT = re.compile(
    r"(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?"
    # A space is a plus sign that was not percent-encoded in a query.
    r"(?:(?P<zulu>Z)|(?P<sign>[+\- ])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)"
)
_TO_THE_MINUTE = len("2030-01-01T00:00")
_WIDEST_OFFSET = timedelta(hours=14)


# How far a stranger's clock may be ahead of ours.
CLOCK_AHEAD = timedelta(minutes=5)


class InvalidInstant(ValueError):
    """The text is no point in time with an offset; the message never holds the text."""


def parse_instant(text: str) -> datetime:
    """Read a date and time with its offset (Z, +01:00, +0100, +01, or a space for the plus sign).

    Fractions have up to 9 digits and are cut to microseconds. The datetime keeps the offset as written. A
    leap second, which FHIR allows and datetime does not know, is read as the second that follows.
    Raises InvalidInstant for a missing offset, an impossible date or a partial date.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise InvalidInstant("A date and time with an offset is needed")
    try:
        moment = _local(match["moment"]).replace(
            microsecond=int((match["fraction"] or "0").ljust(6, "0")[:6]), tzinfo=_offset(match)
        )
        # Moments at the edges of the calendar have no UTC form and would fail later.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInstant("There is no such date and time") from None
    return moment


def _local(written: str) -> datetime:
    minute, second = written[:_TO_THE_MINUTE], written[_TO_THE_MINUTE:]
    if second == ":60":
        return datetime.fromisoformat(minute) + timedelta(minutes=1)
    return datetime.fromisoformat(written)


def _offset(match: re.Match[str]) -> timezone:
    if match["zulu"]:
        return UTC
    size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or "0"))
    if size > _WIDEST_OFFSET or int(match["minutes"] or "0") > 59:
        raise ValueError("offset")
    return timezone(-size if match["sign"] == "-" else size)


def borne_out(stamp: datetime, heard_at: datetime) -> datetime:
    """What another clock must not be behind, to be no older than a stranger's stamp that came at `heard_at`.

    The stamp itself, exactly; but one a little ahead of our clock is of a fast one: by so much less then.
    """
    return stamp - CLOCK_AHEAD if heard_at < stamp <= heard_at + CLOCK_AHEAD else stamp


def format_instant(moment: datetime) -> str:
    """An aware datetime as messages and answers write it: seven digits of a second, UTC as +00:00.

    ValueError when it is naive.
    """
    return _written(moment, UTC)


def format_london(moment: datetime) -> str:
    """The same in London local time with its offset, the one form that slot answers use."""
    return _written(moment, LONDON)


def _written(moment: datetime, zone: tzinfo) -> str:
    if moment.utcoffset() is None:
        raise ValueError("An instant needs a time zone")
    text = moment.astimezone(zone).isoformat(timespec="microseconds")
    # The clock has six digits, and the standard's messages seven.
    return f"{text[:26]}0{text[26:]}"
