"""gunicorn's threaded worker where no client holds a thread: for the portal, and for all behind a front.

What is not even HTTP gets a plain answer, and a log line that repeats nothing of it.
"""

import ssl
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import http, util
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from bars_portal.exchange.receiver.server.bounded import PlainSocket
from bars_portal.exchange.receiver.server.gathering import GatheredConnection, Gathering

_ANSWERS: tuple[tuple[type[BaseException], tuple[int, str]], ...] = (
    # The application's own mistakes, though gunicorn derives them from the client's.
    (InvalidResponseHeader, (500, "Internal Server Error")),
    (InvalidResponseHeaderName, (500, "Internal Server Error")),
    (LimitRequestLine, (414, "URI Too Long")),
    (LimitRequestHeaders, (431, "Request Header Fields Too Large")),
    (ExpectationFailed, (417, "Expectation Failed")),
    # An unknown transfer coding too: RFC 9112 would say 501, but no 5xx is ours when the request is at fault.
    (ParseException, (400, "Bad Request")),
    (ssl.SSLError, (400, "Bad Request")),
)


def handle_mistake(log: Any, client: Any, address: str, error: BaseException) -> None:
    """`log` is gunicorn's, `client` the socket."""
    status, reason = answer_to(error)
    kind = type(error).__name__
    if status == 500:
        log.error("Request of %s failed: %s", address, kind, exc_info=True)
    else:
        log.warning("Request of %s not understood: %s", address, kind)
    if not isinstance(error, ssl.SSLError):
        util.write_error(client, status, reason, "")


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase for what is not even HTTP: what parses gets an OperationOutcome elsewhere."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")


# A whole request: head and body. Answers are due within 5 s (standard section 5).
REQUEST_SECONDS = 10.0
# How long a request thread waits for a client to close after the last answer.
CLOSE_SECONDS = 0.5
# Connections are recycled: what a client was let in for is looked at again.
MOST_REQUESTS_EACH, MOST_SECONDS_EACH = 1000, 600.0
# Kept free below worker_connections, so that a new client always finds room.
ROOM = 20
# What an application leaves of a body and is thrown away, so that the connection stays: less than gunicorn's.
_MOST_LEFT = 32_768
# The largest body that a page takes: a catalogue of 10 MB with its form (directory.admin.catalogues).
_MOST_BODY = 11_000_000


class BoundedConnection(GatheredConnection):
    """Closed once only. A graceful close waits for the client: never in the poller's thread."""

    most_body = _MOST_BODY

    def __init__(self, cfg: Any, sock: Any, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.initialized = True
        self.parser = http.get_parser(cfg, sock, client)

    def close(self, graceful: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        if graceful:
            util.close_graceful(self.sock, timeout=CLOSE_SECONDS)
        else:
            util.close(self.sock)

    def is_spent(self) -> bool:
        """Whether its next answer is its last."""
        self.requests += 1
        age = time.monotonic() - self.opened_at
        return self.requests >= MOST_REQUESTS_EACH or age >= MOST_SECONDS_EACH


class BoundedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """A thread is taken once a request is there as a whole, or cannot come to be."""

    request_seconds = REQUEST_SECONDS

    def run(self) -> None:
        self.gathering = Gathering(
            self.poller, seconds=self.request_seconds, whole=self.submit, dropped=self.drop
        )
        super().run()

    def accept(self, listener: Any) -> None:
        """Take a connection; nothing here waits."""
        taken = self.take(listener)
        if taken:
            raw, address = taken
            conn = BoundedConnection(self.cfg, PlainSocket(fileno=raw.detach()), address, raw_name(listener))
            self.await_request(conn)

    def take(self, listener: Any) -> tuple[Any, Any] | None:
        """The next connection, and room for it: who has been idle longest goes."""
        try:
            raw, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        self.nr_conns += 1
        raw.setblocking(False)
        if self.nr_conns > self.worker_connections - ROOM:
            self._close_idle()
        return raw, address

    def await_request(self, conn: GatheredConnection, seconds: float | None = None) -> None:
        """Wait in the poller for the first one."""
        idle = self.cfg.keepalive if seconds is None else seconds
        conn.timeout = time.monotonic() + (idle if self.alive else STOP_KEEPALIVE_LINGER)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: GatheredConnection, client: Any) -> None:
        # It may have made room earlier in this same round of the poller.
        if not conn.closed:
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: GatheredConnection, client: Any) -> None:
        if not conn.closed:
            super().on_client_socket_readable(conn, client)

    def enqueue_req(self, conn: GatheredConnection) -> None:
        """gunicorn's way to a thread, by way of the gathering."""
        self.gathering.begin(conn)

    def submit(self, conn: GatheredConnection) -> None:
        """To a thread, at last."""
        self.submit_to(self.tpool, conn)

    def submit_to(self, pool: Any, conn: GatheredConnection) -> None:
        conn.sock.whole_at = time.monotonic()
        future = pool.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def drop(self, conn: GatheredConnection, reason: str) -> None:
        self.nr_conns -= 1
        conn.close()
        if reason:
            self.log.info("Connection of %s closed: %s", name_of(conn.client), reason)

    def murder_pending(self) -> None:
        """gunicorn's sweep after each round of the poller, extended to requests on their way."""
        super().murder_pending()
        self.gathering.drop_late()

    def _close_idle(self) -> None:
        """Of those that have asked before and those that have not, the one that will be closed first."""
        ends = [(idle[0].timeout, idle) for idle in (self.keepalived_conns, self.pending_conns) if idle]
        if ends:
            conn = min(ends, key=lambda end: end[0])[1].popleft()
            self.poller.unregister(conn.sock)
            self.drop(conn, "room is needed")

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker does not sit out the idle time of those that have not asked yet, either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def handle(self, conn: GatheredConnection) -> Any:
        """One request, in a request thread, which also closes: the poller never lingers."""
        conn.sock.begin_request(conn.deadline)
        try:
            keep = super().handle(conn)
        finally:
            conn.sock.end_request()
        if conn.sock.was_slow:
            self.log.info("Connection of %s closed: too slow", name_of(conn.client))
        if not keep:
            conn.close(graceful=not conn.sock.was_slow)
        return keep

    def handle_request(self, req: Any, conn: BoundedConnection) -> Any:
        if self.is_last(conn):
            req.force_close()
        # gunicorn asks it when the head of the answer is written, and lets no application say "close". It
        # asks again when the next request is there, whose bytes are no rest of this one.
        asked, req.should_close = req.should_close, partial(_ends, req, conn, req.should_close)
        try:
            return super().handle_request(req, conn)
        finally:
            req.should_close = asked

    def is_last(self, conn: BoundedConnection) -> bool:
        """Whether the connection ends with this answer."""
        return conn.is_spent() or conn.sock.is_at_end

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Neither log nor answer repeats what the client sent: URLs here hold patient data."""
        handle_mistake(self.log, client, name_of(addr), exc)


def _ends(req: Any, conn: BoundedConnection, asked: Callable[[], bool]) -> bool:
    """Also when much of the body is left unread, as after a 413: gunicorn throws no more than that away."""
    if conn.parser.unreader.buf.getbuffer().nbytes > _MOST_LEFT:
        req.force_close()
    return asked()


def name_of(address: Any) -> str:
    """For the log: the address of a client; of a Unix socket there is none."""
    return str(address[0]) if address and not isinstance(address, str | bytes) else "a local client"


def raw_name(listener: Any) -> Any:
    return listener.getsockname()
