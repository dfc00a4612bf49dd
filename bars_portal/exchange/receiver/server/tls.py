"""The receiver's side of mutual TLS: the context, and client sockets whose reads have a deadline."""

import errno
import ssl
import time
from typing import Any

from bars_portal.exchange.receiver.server.environment import ServerSettings

# One blocked write: a client that does not take its answer.
WRITE_SECONDS = 10.0


class SlowClient(TimeoutError):
    """The client did not send its request, or take its answer, in time.

    Its errno is that of a reset connection: gunicorn takes that as ordinary, without a traceback.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "too slow")


class PeerSocket(ssl.SSLSocket):
    """A TLS connection whose reads share one deadline per request, where a plain timeout is per byte."""

    _deadline: float | None = None
    was_slow = False
    # The client's certificate: kept from the handshake, since OpenSSL forgets it when a client vanishes.
    peer_der: bytes | None = None

    def begin_request(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def end_request(self) -> None:
        self._deadline = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Raises SlowClient once the request's time is over."""
        if self._deadline is None:
            return super().recv(buflen, flags)
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise self._slow()
        try:
            self.settimeout(remaining)
            return super().recv(buflen, flags)
        except TimeoutError:
            raise self._slow() from None

    # The standard library's sendall is a loop over send: so this bounds both.
    def send(self, data: Any, flags: int = 0) -> int:
        """Raises SlowClient when the client takes nothing for WRITE_SECONDS."""
        try:
            self.settimeout(WRITE_SECONDS)
            return super().send(data, flags)
        except TimeoutError:
            raise self._slow() from None

    def _slow(self) -> SlowClient:
        self.was_slow = True
        return SlowClient()


def server_context(settings: ServerSettings) -> ssl.SSLContext:
    """It demands a client certificate of the given chain, that environment's only (standard section 1).

    Raises ssl.SSLError when the files do not fit each other.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(settings.cert_file, settings.key_file)
    context.load_verify_locations(cafile=settings.ca_file)
    if settings.crl_file is not None:
        # An outdated list refuses everyone: better closed than blind.
        context.load_verify_locations(cafile=settings.crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    # No resumption and no renegotiation: each connection shows its certificate once, freshly verified.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.sslsocket_class = PeerSocket
    return context
