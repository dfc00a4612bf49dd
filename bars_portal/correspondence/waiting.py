"""While an outcome is not known: how long a page waits for it, and what it says meanwhile."""

import time
from collections.abc import Callable
from datetime import datetime

from bars_portal.exchange.outbox import Trying
from bars_portal.nhsuk import dates


def wait_while(is_waiting: Callable[[], bool], read: Callable[[], None], *, patience: float) -> None:
    """Reads again and again until what is waited for is settled, or the patience ends."""
    deadline = time.monotonic() + patience
    while is_waiting() and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        read()


PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1


# What becomes of a message without a clear answer, as one sentence: for all pages that wait for one.


def trying_words(found: Trying, *, now: datetime) -> str:
    """ "" when nothing is to be said: it never went out twice, or its fate is known."""
    if found.not_answering is not None:
        since = dates.format_moment(found.not_answering, now)
        return f"The service has not been answering since {since}. This goes out as soon as it answers."
    if found.is_sending:
        return "Still trying: it is being sent again at this moment."
    if found.next_at is not None:
        return f"Still trying, next attempt at {_at(found.next_at, now)}."
    return "We tried several times and have stopped. It is up to you now." if found.given_up else ""


def _at(moment: datetime, now: datetime) -> str:
    """An attempt that is overdue is about to be made."""
    return dates.format_moment(max(moment, now), now)
