"""The back-off: later and later, spread a little, put off when the other side asks for it, and then over."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.settlement import JITTER, next_attempt

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DELAYS = (5.0, 15.0, 60.0)


@pytest.mark.parametrize(
    ("repeats", "retry_after", "chance", "seconds"),
    [
        (0, None, 0.5, 5.0),
        (1, None, 0.5, 15.0),
        (2, None, 0.0, 48.0),
        (2, None, 1.0, 72.0),
        (0, 3, 0.5, 5.0),
        (0, 120, 0.5, 120.0),
    ],
    ids=["first", "second", "early", "late", "asked-for-less", "asked-for-more"],
)
def test_the_delay(repeats: int, retry_after: int | None, chance: float, seconds: float) -> None:
    found = next_attempt(DELAYS, repeats=repeats, retry_after=retry_after, chance=chance, now=NOW)
    assert found == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("retry_after", [None, 30])
def test_it_ends(retry_after: int | None) -> None:
    assert next_attempt(DELAYS, repeats=3, retry_after=retry_after, chance=0.5, now=NOW) is None
    assert next_attempt((), repeats=0, retry_after=retry_after, chance=0.5, now=NOW) is None


@given(st.integers(0, 2), st.floats(0, 1), st.none() | st.integers(0, 86_400))
def test_never_sooner_than_asked_and_never_far_from_the_schedule(
    repeats: int, chance: float, retry_after: int | None
) -> None:
    found = next_attempt(DELAYS, repeats=repeats, retry_after=retry_after, chance=chance, now=NOW)
    assert found is not None
    seconds = (found - NOW).total_seconds()
    assert seconds >= max(retry_after or 0, DELAYS[repeats] * (1 - JITTER) - 0.001)
    assert seconds <= max(retry_after or 0, DELAYS[repeats] * (1 + JITTER)) + 0.001
