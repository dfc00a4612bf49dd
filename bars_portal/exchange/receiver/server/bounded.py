"""Connections whose reads share one deadline a request, where a plain timeout is per byte."""

import errno
import socket
import time
from typing import Any

# One blocked write: a client that does not take its answer.
WRITE_SECONDS = 10.0


class SlowClient(TimeoutError):
    """The client did not send its request, or take its answer, in time.

    Its errno is that of a reset connection: gunicorn takes that as ordinary, without a traceback.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "too slow")


class Bounded(socket.socket):
    """What a TLS connection and a plain one have in common here."""

    _deadline: float | None = None
    is_at_end = False
    was_slow = False
    # When the request was there as a whole, a moment of the monotonic clock.
    whole_at: float | None = None

    def begin_request(self, deadline: float) -> None:
        """`deadline` is a moment of the monotonic clock."""
        self._deadline = deadline

    def end_request(self) -> None:
        self._deadline = None

    def end_input(self) -> None:
        """From here on it reads as if the client had ended: no thread waits for the rest of its body."""
        self.is_at_end = True

    def read_now(self, size: int) -> bytes:
        """What is there, for the poller's thread; raises what a non-blocking socket raises."""
        return super().recv(size)

    def send_now(self, data: bytes) -> None:
        """A few bytes, from the poller's thread: never waits."""
        super().send(data)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Raises SlowClient once the request's time is over."""
        if self.is_at_end:
            return b""
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


class PlainSocket(Bounded):
    """A connection without TLS: behind a front, or on a laptop."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """A loop over send, as the standard library has it for TLS: its own would not be bounded."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self.send(left, flags) :]
