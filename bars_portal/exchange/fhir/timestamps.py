"""FHIR instants both ways; always zoned (standard section 7: any offset is understood)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_INSTANT = re.compile(
    r"(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?"
    # A space is a plus sign that was not percent-encoded in a query.
    r"(?:(?P<zulu>Z)|(?P<sign>[+\- ])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)"
)
_WIDEST_OFFSET = timedelta(hours=14)


class InvalidInstant(ValueError):
    """The text is no point in time with an offset; the message never holds the text."""


def parse_instant(text: str) -> datetime:
    """Read a date and time with its offset (Z, +01:00, +0100, +01, or a space for the plus sign).

    Fractions have up to 9 digits and are cut to microseconds. The datetime keeps the offset as written.
    Raises InvalidInstant for a missing offset, an impossible date or a partial date.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise InvalidInstant("A date and time with an offset is needed")
    try:
        moment = datetime.fromisoformat(match["moment"]).replace(
            microsecond=int((match["fraction"] or "0").ljust(6, "0")[:6]), tzinfo=_offset(match)
        )
        # Moments at the edges of the calendar have no UTC form and would fail later.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInstant("There is no such date and time") from None
    return moment


def _offset(match: re.Match[str]) -> timezone:
    if match["zulu"]:
        return UTC
    size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or "0"))
    if size > _WIDEST_OFFSET or int(match["minutes"] or "0") > 59:
        raise ValueError("offset")
    return timezone(-size if match["sign"] == "-" else size)


def format_instant(moment: datetime) -> str:
    """Write an aware datetime in ISO form with milliseconds and its own offset; ValueError when naive."""
    if moment.utcoffset() is None:
        raise ValueError("An instant needs a time zone")
    return moment.isoformat(timespec="milliseconds")


def format_london(moment: datetime) -> str:
    """The same in London local time with its offset, the one form that slot answers use."""
    return format_instant(moment.astimezone(LONDON))
