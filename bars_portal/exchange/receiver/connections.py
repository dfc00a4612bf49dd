"""Database connections that stay small: libpq keeps its buffers as large as the largest statement ever was.

Of a pool of 20, each would in time hold the largest message that came, some 4 MB and more (found by fuzzing).
"""

from django.db.backends.base.base import BaseDatabaseWrapper

# More than messages without attachments have; a new connection costs the pool some ms, in its own thread.
LARGE_BYTES = 262_144


def spare(connection: BaseDatabaseWrapper, carried: int) -> None:
    """Have the pool replace the connection in use when it gets it back, if it carried that many bytes."""
    if carried > LARGE_BYTES and connection.connection is not None:
        # The pool's own mark of age: it has no public way to say so of one connection.
        connection.connection._expire_at = 0.0
