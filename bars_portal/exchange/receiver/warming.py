"""What a worker does before its first request, so that no partner pays for it."""

import gc

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import DatabaseError, connection, reset_queries
from django.urls import get_resolver

from bars_portal.exchange.fhir.structure import warm as warm_structure
from bars_portal.exchange.inbound import log_failure
from bars_portal.exchange.receiver.connections import prefer_warm

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
