"""After a restart of the database the first request works: no connection is given out that is gone."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection, connections

from bars_portal.postgresql.base import DatabaseWrapper

# Many: the pool itself would rest for a second after each dead one.
OPEN = 8


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    """With a pool, as every process has but the tests'."""
    # As little time as the receiver has.
    pool = {**settings.DATABASE_POOL, "min_size": OPEN, "max_size": OPEN, "timeout": 0.9}
    options = {**connection.settings_dict["OPTIONS"], "pool": pool}
    made = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias="restarted")
    made.ensure_connection()
    made.close()
    made.pool.wait()
    yield made
    made.close()
    made.close_pool()


def test_the_first_request_after_a_restart(pooled: DatabaseWrapper) -> None:
    assert isinstance(connections["default"], DatabaseWrapper)
    pids = [each.info.backend_pid for each in list(pooled.pool._pool)]
    assert len(pids) == OPEN
    with connection.cursor() as cursor:
        # What a restart does to them; and wait until they have ended.
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", [pids])
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    assert pid not in pids
