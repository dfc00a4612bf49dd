"""gunicorn's threaded worker with handshakes in its poller, bounded reads, and a log without payload."""

import ctypes
import ssl
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
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

from bars_portal.exchange.receiver.server.tls import PeerSocket

Address = tuple[str, int]

HANDSHAKE_SECONDS = 3.0
# At once, in one worker: well below worker_connections, so that admitted clients always find room.
MOST_HANDSHAKES = 200
# A whole request: head and body. Answers are due within 5 s (standard section 5).
REQUEST_SECONDS = 10.0
# How long a request thread waits for a client to close after the last answer.
CLOSE_SECONDS = 0.5
# mallopt(3): parameters of malloc.h, which Python has no names for.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_HEAPS = 2
# glibc's own start value; setting it stops it from growing with the largest block that was ever freed.
_LARGE_BYTES = 131_072
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


class Handshakes:
    """The handshakes in progress: the poller advances each as bytes arrive, and drops the slow ones.

    In a request thread a few silent sockets would stop the server (design section 5). `done` and
    `refused` are called in the poller's thread, each once a socket. Sockets are non-blocking; `refused` gets
    the socket to close and a reason in plain words.
    """

    def __init__(
        self,
        poller: BaseSelector,
        *,
        seconds: float,
        most: int,
        done: Callable[[PeerSocket, Address], None],
        refused: Callable[[PeerSocket, Address, str], None],
    ) -> None:
        self._poller, self._seconds, self._most = poller, seconds, most
        self._done, self._refused = done, refused
        # In order of arrival, so the first one is the first to run out of time.
        self._waiting: dict[PeerSocket, tuple[float, Address]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, sock: PeerSocket, address: Address) -> None:
        if len(self._waiting) >= self._most:
            # A flood of silent sockets pushes out its own; honest clients need milliseconds.
            self._give_up_oldest("too many at once")
        self._waiting[sock] = (time.monotonic() + self._seconds, address)
        self._poller.register(sock, EVENT_READ, self._advance)

    def drop_late(self) -> None:
        """Refuse every handshake whose time is over."""
        now = time.monotonic()
        while self._waiting:
            deadline, _ = next(iter(self._waiting.values()))
            if deadline > now:
                return
            self._give_up_oldest(f"not finished within {self._seconds:g} s")

    def _give_up_oldest(self, reason: str) -> None:
        sock = next(iter(self._waiting))
        self._refused(sock, self._forget(sock), reason)

    def _advance(self, sock: PeerSocket) -> None:
        """As far as the bytes at hand allow; the poller calls this whenever there are more."""
        if sock not in self._waiting:
            # Given up earlier in this same round of the poller.
            return
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._poller.modify(sock, EVENT_READ, self._advance)
        except ssl.SSLWantWriteError:
            self._poller.modify(sock, EVENT_WRITE, self._advance)
        except OSError as error:
            self._refused(sock, self._forget(sock), reason_of(error))
        else:
            self._done(sock, self._forget(sock))

    def _forget(self, sock: PeerSocket) -> Address:
        self._poller.unregister(sock)
        return self._waiting.pop(sock)[1]


def reason_of(error: OSError) -> str:
    """OpenSSL's own word for a failed handshake, without anything the other side sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted, {error.verify_message}"
    # Absent from the few errors that Python itself raises.
    reason: str | None = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if reason else "connection lost"


def answer_to(error: BaseException) -> tuple[int, str]:
    """Status and reason phrase for what is not even HTTP: what parses gets an OperationOutcome elsewhere."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer
    return (500, "Internal Server Error")


def limit_heaps() -> bool:
    """Without this, bursts of large bodies treble a worker: to be called before its threads start.

    glibc keeps up to eight heaps a core and spreads the request threads over them; each keeps the holes of
    its own worst moment. So: two heaps, and large blocks returned at once. False where there is no mallopt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    # A list: every one is set, whatever became of the one before.
    taken = [mallopt(parameter, value) for parameter, value in wanted]
    return all(each == 1 for each in taken)
