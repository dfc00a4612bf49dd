"""The TLS handshakes in progress: advanced by the poller, each with a deadline, and so many at once."""

import ssl
import time
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from bars_portal.exchange.receiver.server.tls import PeerSocket

Address = tuple[str, int]


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
