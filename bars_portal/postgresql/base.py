"""Named by settings as ENGINE: Django looks for DatabaseWrapper in a module of this name."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, IsolationLevel, OperationalError

from bars_portal.metrics.figures import POOL_CONNECTIONS, POOL_WAITING, sample
from bars_portal.postgresql.patience import seconds_left


class DatabaseWrapper(base.DatabaseWrapper):
    """After a restart of the database all idle connections are dead, and the first request works even so.

    The pool's own check is a trip to the server for each request, a fifth of a slot search; and after each
    dead connection that it finds it rests for a second, which is longer than the receiver may wait.
    """

    def get_new_connection(self, conn_params: Any) -> Any:
        if not self.pool:
            return super().get_new_connection(conn_params)
        # As Django does it, and no longer than whoever asks may wait.
        self.isolation_level = IsolationLevel.READ_COMMITTED
        self.pool.open()
        while has_gone(connection := self.pool.getconn(seconds_left(self.pool.timeout))):
            # Closed, so that the pool opens another in its place.
            connection.close()
            self.pool.putconn(connection)
        return connection


def has_gone(connection: Connection[Any]) -> bool:
    """Whether the server has ended it. One that is idle has nothing to read, unless there is such news."""
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if not socket.poll(0):
        return False
    try:
        connection.execute("")
    except OperationalError:
        return True
    return False


@sample
def pool_figures() -> None:
    """How the pool of this process stands."""
    for pool in DatabaseWrapper._connection_pools.values():  # type: ignore[attr-defined]  # not public
        stats = pool.get_stats()
        idle = stats.get("pool_available", 0)
        POOL_CONNECTIONS.labels("in use").set(stats.get("pool_size", 0) - idle)
        POOL_CONNECTIONS.labels("idle").set(idle)
        POOL_CONNECTIONS.labels("limit").set(stats.get("pool_max", 0))
        POOL_WAITING.set(stats.get("requests_waiting", 0))
