"""gunicorn's threaded worker with handshakes in its poller, bounded reads, and a log without payload."""

import ctypes
import ssl
import time
from functools import partial
from selectors import EVENT_READ
from socket import socket
from typing import Any, cast

from gunicorn import http, util
from gunicorn import sock as gunicorn_sock
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from bars_portal.exchange.receiver.server.handshakes import Address, Handshakes
from bars_portal.exchange.receiver.server.tls import PeerSocket

# What a worker gives back of its memory: without this, bursts of large bodies treble its size.
#
# glibc keeps up to eight heaps a core and spreads the request threads over them; each keeps the holes of its
# own worst moment. So: two heaps, and large blocks returned at once.


# mallopt(3): parameters of malloc.h, which Python has no names for.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_HEAPS = 2
# glibc's own start value; setting it stops it from growing with the largest block that was ever freed.
_LARGE_BYTES = 131_072


def limit_heaps() -> bool:
    """For this process, before its threads start. False where the C library has no such settings."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    # A list: every one is set, whatever became of the one before.
    taken = [mallopt(parameter, value) for parameter, value in wanted]
    return all(each == 1 for each in taken)


# The bare answers to what is not even HTTP; a request that parses gets an OperationOutcome elsewhere.


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


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")


HANDSHAKE_SECONDS = 3.0
# At once, in one worker: well below worker_connections, so that admitted clients always find room.
MOST_HANDSHAKES = 200
# A whole request: head and body. Answers are due within 5 s (standard section 5).
REQUEST_SECONDS = 10.0
# How long a request thread waits for a client to close after the last answer.
CLOSE_SECONDS = 0.5


class PeerConnection(TConn):  # type: ignore[misc]  # gunicorn has no annotations
    """A connection that has finished its handshake: gunicorn finds it ready to parse."""

    def __init__(self, cfg: Any, sock: PeerSocket, client: Address, server: Address) -> None:
        super().__init__(cfg, sock, client, server)
        self.initialized = True
        self.parser = http.get_parser(cfg, sock, client)
        self.closed = False

    def close(self, graceful: bool = False) -> None:
        """Once only. A graceful close waits for the client: never in the poller's thread."""
        if self.closed:
            return
        self.closed = True
        if graceful:
            util.close_graceful(self.sock, timeout=CLOSE_SECONDS)
        else:
            util.close(self.sock)


class ReceiverWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no annotations
    """Only clients whose certificate was accepted ever reach a request thread."""

    request_seconds = REQUEST_SECONDS

    def init_process(self) -> None:
        # Once a worker, where gunicorn would read the files again for each connection.
        self.tls: ssl.SSLContext = gunicorn_sock.ssl_context(self.cfg)
        super().init_process()

    def run(self) -> None:
        self.handshakes = Handshakes(
            self.poller,
            seconds=HANDSHAKE_SECONDS,
            most=MOST_HANDSHAKES,
            done=self.admit,
            refused=self.refuse,
        )
        super().run()

    def accept(self, listener: Any) -> None:
        """Take a connection and begin its handshake; nothing here waits."""
        try:
            raw, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.begin_handshake(raw, address)

    def begin_handshake(self, raw: socket, address: Address) -> None:
        raw.setblocking(False)
        try:
            wrapped = self.tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        except OSError:
            # Already gone.
            self.nr_conns -= 1
            util.close(raw)
            return
        # The class is the context's sslsocket_class.
        self.handshakes.begin(cast(PeerSocket, wrapped), address)

    def refuse(self, sock: PeerSocket, address: Address, reason: str) -> None:
        self.nr_conns -= 1
        util.close(sock)
        self.log.info("TLS handshake with %s refused: %s", address[0], reason)

    def admit(self, sock: PeerSocket, address: Address) -> None:
        """Wait in the poller for the first request."""
        sock.peer_der = sock.getpeercert(binary_form=True)
        conn = PeerConnection(self.cfg, sock, address, sock.getsockname())
        idle = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        conn.timeout = time.monotonic() + idle
        self.pending_conns.append(conn)
        self.poller.register(sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def murder_pending(self) -> None:
        """gunicorn's once-a-second sweep, extended to handshakes."""
        super().murder_pending()
        self.handshakes.drop_late()

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker does not sit out the idle time of those that have not asked yet, either."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def handle(self, conn: PeerConnection) -> Any:
        """One request, in a request thread, which also closes: the poller never lingers."""
        conn.sock.begin_request(self.request_seconds)
        try:
            keep = super().handle(conn)
        finally:
            conn.sock.end_request()
        if conn.sock.was_slow:
            self.log.info("Connection of %s closed: too slow", conn.client[0])
        if not keep:
            conn.close(graceful=not conn.sock.was_slow)
        return keep

    def handle_error(self, req: Any, client: PeerSocket, addr: Address, exc: BaseException) -> None:
        """Neither log nor answer repeats what the client sent: URLs here hold patient data."""
        status, reason = answer_to(exc)
        kind = type(exc).__name__
        if status == 500:
            self.log.error("Request of %s failed: %s", addr[0], kind, exc_info=True)
        else:
            self.log.warning("Request of %s not understood: %s", addr[0], kind)
        if not isinstance(exc, ssl.SSLError):
            util.write_error(client, status, reason, "")
