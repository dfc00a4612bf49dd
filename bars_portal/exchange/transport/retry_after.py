"""Retry-After (RFC 9110 section 10.2.3): seconds, or an HTTP date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bars_portal.exchange.transport.answer import Answer

# A day: nobody waits longer, and a wrong clock over there must not park a message for good.
LIMIT_SECONDS = 86_400


def retry_after_seconds(answer: Answer, *, now: datetime | None) -> int | None:
    """Whole seconds from 0 to a day; None when the header is absent or unreadable."""
    text = (answer.header("Retry-After") or "").strip()
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _until(text, answer, now)
    return None if seconds is None else min(max(seconds, 0), LIMIT_SECONDS)


def _until(text: str, answer: Answer, now: datetime | None) -> int | None:
    moment, base = _http_date(text), now or _http_date(answer.header("Date") or "")
    return None if moment is None or base is None else round((moment - base).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
