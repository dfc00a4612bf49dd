"""Of the pool's connections the one that was in use last is given out first."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from bars_portal.exchange.receiver.warming import prefer_warm

OPEN = 3


def wrapper(alias: str = "warm") -> DatabaseWrapper:
    """Two of one alias share its pool, as two threads do."""
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": OPEN, "max_size": OPEN}}
    return DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias=alias)


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    made = wrapper()
    made.ensure_connection()
    made.close()
    made.pool.wait()
    yield made
    made.close()
    made.close_pool()


def backend(pooled: DatabaseWrapper) -> int:
    """The process at the other end; the connection is kept."""
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def one_after_the_other(pooled: DatabaseWrapper) -> set[int]:
    """The processes that answer requests none of which comes before the last one is over."""
    seen = set()
    for _ in range(2 * OPEN):
        seen.add(backend(pooled))
        pooled.close()
    return seen


def test_requests_in_turn_meet_one_process(pooled: DatabaseWrapper) -> None:
    assert len(one_after_the_other(pooled)) == OPEN
    prefer_warm(pooled)
    assert len(one_after_the_other(pooled)) == 1


def test_requests_at_once_have_a_connection_each(pooled: DatabaseWrapper) -> None:
    prefer_warm(pooled)
    others = [wrapper() for _ in range(OPEN - 1)]
    try:
        held = [backend(each) for each in (pooled, *others)]
        assert len(set(held)) == OPEN
    finally:
        for each in others:
            each.close()
    assert backend(pooled) == held[0]


def test_without_a_pool_there_is_nothing_to_prefer() -> None:
    settings = {**connection.settings_dict, "OPTIONS": {}}
    prefer_warm(DatabaseWrapper(settings, alias="without a pool"))
