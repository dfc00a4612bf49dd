"""gunicorn's threaded worker, whose threads wait a moment for the next request of the same client.

Handing a connection to the poller and back costs more than a thread that waits, as long as nobody else needs
the thread.
"""

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# Longer than a client takes from an answer to its next request while others are served; nobody would notice.
LINGER_MILLISECONDS = 10


class LingeringWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """Requests close after each other are handled by one thread, without the poller between them."""

    def handle(self, conn: Any) -> Any:
        """One request, and those that follow at once."""
        keep = self.handle_one(conn)
        # Only True: gunicorn has one more answer, for a connection on which nothing came yet.
        while keep is True and self._may_linger() and _asks_again(conn):
            keep = self.handle_one(conn)
        return keep

    def handle_one(self, conn: Any) -> Any:
        return super().handle(conn)

    def _may_linger(self) -> bool:
        """Not while somebody waits for a thread, nor in a worker that stops."""
        return bool(self.alive and self.tpool._work_queue.empty())


def _asks_again(conn: Any) -> bool:
    """Whether something arrives soon. Bytes that were read already are the poller's business, as ever."""
    if conn.parser.unreader.buf.getvalue():
        return False
    waiting = select.poll()
    waiting.register(conn.sock, select.POLLIN)
    return bool(waiting.poll(LINGER_MILLISECONDS))
