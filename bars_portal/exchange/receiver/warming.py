"""What a worker does so that no partner pays: warm before its first request, small after a large message."""

import gc
from collections import deque
from typing import Any

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import DatabaseError, connection, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import get_resolver

from bars_portal.exchange.arrival import log_failure
from bars_portal.exchange.fhir.structure import warm as warm_structure

# libpq keeps its buffers as large as the largest statement ever was: of a pool of 20 connections each would
# in time hold the largest message that came, some 4 MB and more (found by fuzzing). More than this have few
# messages; a new connection costs the pool some ms, in its own thread.
LARGE_BYTES = 262_144
_SWEEP_AFTER = 50_000


def warm() -> None:
    """Build the model library's classes, load the URLs, open the connection pool, spare it all from sweeps.

    A database that is away is the readiness check's business: the worker starts all the same.
    """
    warm_structure()
    get_resolver().url_patterns  # noqa: B018 - loading them is the point
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        log_failure(error)
    finally:
        connection.close()
    prefer_warm(connection)
    _drop_habits()
    _calm_collector()


def _drop_habits() -> None:
    """What Django does around each request for caches and query logs, of which the receiver has none."""
    request_started.disconnect(reset_queries)
    request_finished.disconnect(close_caches)


def _calm_collector() -> None:
    """What lives as long as the worker is never looked through again, and the rest less often.

    Reading one message makes some 100,000 short-lived objects: by default that is 140 sweeps.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_SWEEP_AFTER, 20, 20)


class _LastFirst(deque[Any]):
    """For a pool that takes on the left what it puts on the right: what came back last goes out first."""

    def popleft(self) -> Any:
        return self.pop()


def prefer_warm(connection: BaseDatabaseWrapper) -> None:
    """Have the pool, where there is one, give out the connection that was in use last.

    The server has a process for each. One that worked a moment ago finds its memory in the processor's
    caches; with each of eight in turn a slot search would pass its bound (docs/adr/0026).
    """
    pool = getattr(connection, "pool", None)
    if pool is not None:
        # It has no public way to choose; under its own lock, for its threads put connections there too.
        with pool._lock:
            pool._pool = _LastFirst(pool._pool)


def spare(connection: BaseDatabaseWrapper, carried: int) -> None:
    """Have the pool replace the connection in use when it gets it back, if it carried that many bytes."""
    if carried > LARGE_BYTES and connection.connection is not None:
        # The pool's own mark of age: it has no public way to say so of one connection.
        connection.connection._expire_at = 0.0
