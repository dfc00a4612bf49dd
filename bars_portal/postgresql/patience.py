"""Connections that wait for the server only as long as whoever asks may.

The server's own timeouts end a statement, and nothing else: not a server that is frozen, nor a commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import isinf
from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError, errors

# A moment of the monotonic clock; None: whoever asks waits for as long as it takes.
_until: ContextVar[float | None] = ContextVar("database_patience", default=None)


@contextmanager
def patient_until(moment: float) -> Iterator[None]:
    """What is asked of the database in here is over by then: OperationalError, and no connection any more."""
    token = _until.set(moment)
    try:
        yield
    finally:
        _until.reset(token)


def seconds_left(most: float) -> float:
    """For whoever would wait `most` seconds."""
    until = _until.get()
    return most if until is None else min(most, max(0.0, until - monotonic()))


class PatientConnection(Connection[Any]):
    """Named by the pool's settings as its `connection_class`."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        until = _until.get()
        if until is None or isinf(until) or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, max(0.0, until - monotonic()))
        except errors._WaitTimeout:  # not public, and what `wait` says that it raises
            # What was asked is still under way: nobody else may have this connection.
            self.pgconn.finish()
            raise OperationalError("The database did not answer in time.") from None
