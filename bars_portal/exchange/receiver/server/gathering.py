"""The requests that are still arriving: gathered in the poller, so that half of one holds no thread."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, BaseSelector
from typing import Any

from gunicorn.workers.gthread import TConn

from bars_portal.exchange.receiver.server.bounded import Bounded
from bars_portal.exchange.receiver.server.framing import Framing

HEAD_SECONDS = 5.0
# Read and thrown away of a body that is too large, so that its sender hears the answer.
MOST_THROWN_AWAY = 20_000_000
# At once, in one worker: how many, and how much memory they may hold together.
MOST_REQUESTS = 200
MOST_BYTES = 64_000_000
_PIECE = 65_536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class GatheredConnection(TConn):  # type: ignore[misc]  # gunicorn has no annotations
    """A connection of ours: its parser is there from the start, and it remembers how long it has served."""

    sock: Bounded
    # The moment by which the request that is being read must be complete.
    deadline = 0.0
    # Of a body longer than this only the length is noticed.
    most_body = 0
    # How long it has for a request, when that is less than others have.
    request_seconds: float | None = None
    closed = False

    def __init__(self, cfg: Any, sock: Bounded, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.opened_at = time.monotonic()
        self.requests = 0


@dataclass
class _Arriving:
    conn: GatheredConnection
    framing: Framing
    head_by: float
    # Its bytes, as far as they are in the sum.
    counted: int = 0

    @property
    def deadline(self) -> float:
        return self.conn.deadline if self.framing.head else min(self.head_by, self.conn.deadline)


class Gathering:
    """Advances each request as its bytes arrive.

    `whole` gets a connection whose parser need not wait, and `dropped` one to be closed, with the reason in
    plain words. Both are called in the poller's thread; its sockets are non-blocking until then.
    """

    def __init__(
        self,
        poller: BaseSelector,
        *,
        seconds: float,
        whole: Callable[[GatheredConnection], None],
        dropped: Callable[[GatheredConnection, str], None],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._poller, self._seconds, self._most_bytes = poller, seconds, most_bytes
        self._whole, self._dropped = whole, dropped
        # In order of arrival.
        self._waiting: dict[Bounded, _Arriving] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, conn: GatheredConnection) -> None:
        """Its first bytes are there, or may be: on the socket, or read ahead with the request before."""
        now = time.monotonic()
        conn.sock.setblocking(False)
        conn.deadline = now + (conn.request_seconds or self._seconds)
        arriving = _Arriving(conn, Framing(conn.most_body), now + HEAD_SECONDS)
        arriving.framing.add(conn.parser.unreader.take_buffered())
        if over := self._read(arriving):
            over()
            return
        if len(self._waiting) >= MOST_REQUESTS:
            # A flood of halves pushes out its own.
            self._drop_oldest("too many at once")
        self._waiting[conn.sock] = arriving
        self._poller.register(conn.sock, EVENT_READ, self._advance)
        self._count(arriving)

    def drop_late(self) -> None:
        """Give up every request whose time is over; who has said what he wants hears so."""
        now = time.monotonic()
        for arriving in [each for each in self._waiting.values() if each.deadline <= now]:
            self._forget(arriving)
            if arriving.framing.head:
                # Its reading ends at once: the application answers 408 and keeps what came.
                arriving.conn.deadline = 0.0
                self._hand_over(arriving)
            else:
                self._dropped(arriving.conn, "too slow")

    def _advance(self, sock: Bounded) -> None:
        arriving = self._waiting.get(sock)
        if arriving is None:
            # Given up earlier in this same round of the poller.
            return
        if over := self._read(arriving):
            self._forget(arriving)
            over()
        else:
            self._count(arriving)

    def _read(self, arriving: _Arriving) -> Callable[[], None] | None:
        """What is there; and what to do with the connection, when its request is over."""
        framing, sock = arriving.framing, arriving.conn.sock
        ended = False
        try:
            while not (framing.is_whole(MOST_THROWN_AWAY) or ended):
                piece = sock.read_now(_PIECE)
                framing.add(piece)
                ended = not piece
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return self._expected(arriving)
        except OSError as error:
            return partial(self._dropped, arriving.conn, f"connection lost ({type(error).__name__})")
        if ended and not framing.head:
            return partial(self._dropped, arriving.conn, "")
        # Who ended within a body is handed on as well: what came of it belongs to the record.
        return partial(self._hand_over, arriving)

    def _expected(self, arriving: _Arriving) -> Callable[[], None] | None:
        """A client may wait to be told to go on."""
        if arriving.framing.is_too_long or not arriving.framing.takes_back_expectation():
            return None
        try:
            arriving.conn.sock.send_now(_CONTINUE)
        except OSError:
            return partial(self._dropped, arriving.conn, "takes no answer")
        return None

    def _hand_over(self, arriving: _Arriving) -> None:
        conn, framing = arriving.conn, arriving.framing
        conn.parser.unreader.unread(framing.data)
        if framing.is_too_long or framing.is_unclear:
            # In a thread nothing of it is waited for.
            conn.sock.end_input()
        self._whole(conn)

    def _count(self, arriving: _Arriving) -> None:
        self._bytes += len(arriving.framing.data) - arriving.counted
        arriving.counted = len(arriving.framing.data)
        while self._bytes > self._most_bytes:
            self._drop_oldest("too much at once")

    def _drop_oldest(self, reason: str) -> None:
        arriving = next(iter(self._waiting.values()))
        self._forget(arriving)
        self._dropped(arriving.conn, reason)

    def _forget(self, arriving: _Arriving) -> None:
        """Before anybody else waits for it or closes it."""
        self._poller.unregister(arriving.conn.sock)
        del self._waiting[arriving.conn.sock]
        self._bytes -= arriving.counted
