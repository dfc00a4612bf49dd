"""When a message without a clear answer goes out again (standard section 8). Pure, but for the settings."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

# A share of the delay, either way: many messages that failed together do not come back together.
JITTER = 0.2


def schedule() -> tuple[float, ...]:
    """The delay before each repeat, in seconds; after the last one it is up to a person."""
    return tuple(settings.BARS_RETRY_SECONDS)


def next_attempt(
    delays: Sequence[float], *, repeats: int, retry_after: int | None, chance: float, now: datetime
) -> datetime | None:
    """The instant of the next repeat, `repeats` having gone out; None when there is none left.

    `chance` is from 0 to 1. `retry_after` (seconds) only ever puts it off: the other side asked for it.
    """
    if repeats >= len(delays):
        return None
    delay = delays[repeats] * (1 - JITTER + 2 * JITTER * chance)
    return now + timedelta(seconds=max(delay, retry_after or 0))
