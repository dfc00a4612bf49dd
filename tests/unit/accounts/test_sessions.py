"""The two clocks of a session, at their edges."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bars_portal.accounts import middleware
from bars_portal.accounts.middleware import LAST_ACTIVITY, STARTED, Ended, Limits

START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
LIMITS = Limits(idle=900, absolute=43_200)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("since_start", "since_activity", "expected"),
    [
        (0, 0, None),
        (899, 899, None),
        (900, 900, Ended.IDLE),
        (43_199, 0, None),
        (43_200, 0, Ended.ABSOLUTE),
        (43_200, 43_200, Ended.ABSOLUTE),
        (10**9, 10**9, Ended.ABSOLUTE),
    ],
)
def test_limits(since_start: int, since_activity: int, expected: Ended | None) -> None:
    now = after(since_start)
    session = {STARTED: START.timestamp(), LAST_ACTIVITY: now.timestamp() - since_activity}
    assert middleware.ended(session, now=now, limits=LIMITS) == expected


def test_activity_pushes_only_the_idle_limit() -> None:
    session: dict[str, Any] = {}
    middleware.start(session, now=START)
    middleware.note_activity(session, now=after(800))
    assert middleware.ended(session, now=after(1600), limits=LIMITS) is None
    assert session[STARTED] == START.timestamp()


def test_a_quick_second_click_is_not_written() -> None:
    session: dict[str, Any] = {}
    middleware.start(session, now=START)
    middleware.note_activity(session, now=after(3))
    assert session[LAST_ACTIVITY] == START.timestamp()


def test_a_session_without_clocks_gets_them() -> None:
    session: dict[str, Any] = {}
    assert middleware.ended(session, now=START, limits=LIMITS) is None
    middleware.note_activity(session, now=START)
    assert session == {STARTED: START.timestamp(), LAST_ACTIVITY: START.timestamp()}


@pytest.mark.parametrize("broken", [{STARTED: "soon"}, {STARTED: 1.0}, {STARTED: 1.0, LAST_ACTIVITY: None}])
def test_unreadable_clocks_end_the_session(broken: dict[str, Any]) -> None:
    assert middleware.ended(broken, now=START, limits=LIMITS) is Ended.IDLE
