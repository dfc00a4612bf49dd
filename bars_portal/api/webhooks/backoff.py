"""When what was not taken is sent again, and when nobody tries any more. Pure."""

from datetime import datetime, timedelta

from bars_portal.http import Answer, http_date

_M, _H = timedelta(minutes=1), timedelta(hours=1)
# After the first attempt, the second, ...: three and a half days, so that a weekend is survived.
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    5 * _M,
    30 * _M,
    2 * _H,
    5 * _H,
    10 * _H,
    14 * _H,
    20 * _H,
    24 * _H,
    8 * _H,
)
# A receiver that has taken nothing for so long is switched off.
OFF_AFTER: timedelta = sum(WAITS, timedelta())
# A receiver that fails rests so long before anything else goes there: longer each time, never for long.
_FIRST_REST, LONGEST_REST = timedelta(seconds=5), 5 * _M
LONGEST_ASKED = 24 * _H
GONE = 410


def next_try(tries: int, *, now: datetime, asked: timedelta | None = None) -> datetime | None:
    """After so many attempts; None: that was the last. What a receiver `asked` for counts when longer."""
    if tries > len(WAITS):
        return None
    return now + max(WAITS[tries - 1], min(asked or timedelta(), LONGEST_ASKED))


def rest_until(failures: int, *, now: datetime, asked: timedelta | None = None) -> datetime:
    """Until when nothing goes to a receiver that has failed so many times running."""
    doublings: int = 2 ** min(failures - 1, 10)
    rest = min(_FIRST_REST * doublings, LONGEST_REST)
    return now + max(rest, min(asked or timedelta(), LONGEST_ASKED))


def asked_for(answer: Answer, *, now: datetime) -> timedelta | None:
    """Retry-After in seconds or as a date (RFC 9110 section 10.2.3); None: it says nothing usable."""
    said = (answer.header("retry-after") or "").strip()
    if said.isascii() and said.isdigit():
        return min(timedelta(seconds=int(said[:9])), LONGEST_ASKED)
    moment = http_date(said) if said else None
    return max(moment - now, timedelta()) if moment else None
