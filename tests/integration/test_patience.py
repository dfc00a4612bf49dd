"""Nobody waits for the database longer than he may: not for a statement, a commit, or a connection."""

from collections.abc import Iterator
from time import monotonic

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from bars_portal.postgresql.base import DatabaseWrapper
from bars_portal.postgresql.patience import patient_until


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    """With a pool of one connection, as every process has but the tests'."""
    pool = {**settings.DATABASE_POOL, "min_size": 1, "max_size": 1, "timeout": 5}
    options = {**connection.settings_dict["OPTIONS"], "pool": pool}
    made = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias="patient")
    yield made
    made.close()
    made.close_pool()


def test_a_server_that_says_nothing_is_given_up(pooled: DatabaseWrapper) -> None:
    """Its own timeouts cannot end it: it may be frozen. The connection is gone, the next one works."""
    with pooled.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        began = monotonic()
        with pytest.raises(OperationalError), patient_until(began + 0.2):
            cursor.execute("SELECT pg_sleep(3)")
    assert monotonic() - began < 1
    assert pooled.connection.closed, "at once: what was asked is still under way in it"
    pooled.close()
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (pid,)


def test_nobody_waits_for_a_connection_beyond_his_time(pooled: DatabaseWrapper) -> None:
    pooled.ensure_connection()
    held, pooled.connection = pooled.connection, None
    try:
        began = monotonic()
        with pytest.raises(OperationalError), patient_until(began + 0.1):
            pooled.ensure_connection()
        assert monotonic() - began < 1, "the pool's own time is five seconds"
    finally:
        pooled.pool.putconn(held)


def test_after_a_long_outage_the_first_who_asks_gets_a_connection(pooled: DatabaseWrapper) -> None:
    """The pool's attempts become rare while the database is away; they end, and the next one asks anew."""
    pool, params = pooled.pool, dict(pooled.pool.kwargs)
    pool.kwargs["host"] = "/nowhere"
    with pytest.raises(psycopg.OperationalError):
        pool.open()
        pool.getconn(3.5)
    pool.kwargs.clear()
    pool.kwargs.update(params)
    began = monotonic()
    pooled.ensure_connection()
    assert monotonic() - began < 1
