"""How long a sign-in lasts. Pure but for the session mapping: the time is an argument."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

STARTED = "signed_in_at"
LAST_ACTIVITY = "last_activity_at"
# Not every click is written down: the idle limit may come this much early.
_GRANULARITY_SECONDS = 10

Session = MutableMapping[str, Any]


class Ended(StrEnum):
    """Why a session is over; the value goes into the sign-in page's address."""

    IDLE = "idle"
    ABSOLUTE = "absolute"


@dataclass(frozen=True)
class Limits:
    """Both in seconds."""

    idle: int
    absolute: int


def start(session: Session, *, now: datetime) -> None:
    """Begin both clocks, at sign-in."""
    session[STARTED] = session[LAST_ACTIVITY] = now.timestamp()


def ended(session: Session, *, now: datetime, limits: Limits) -> Ended | None:
    """Which limit has passed, if any; a session whose clocks cannot be read has been idle too long."""
    if STARTED not in session:
        return None
    started, last = session.get(STARTED), session.get(LAST_ACTIVITY)
    if not isinstance(started, int | float) or not isinstance(last, int | float):
        return Ended.IDLE
    if now.timestamp() - started >= limits.absolute:
        return Ended.ABSOLUTE
    return Ended.IDLE if now.timestamp() - last >= limits.idle else None


def note_activity(session: Session, *, now: datetime) -> None:
    """Push the idle limit forward."""
    if STARTED not in session:
        start(session, now=now)
    elif now.timestamp() - session[LAST_ACTIVITY] >= _GRANULARITY_SECONDS:
        session[LAST_ACTIVITY] = now.timestamp()
