"""A request thread stays with its client for a moment, and only while nobody else needs it."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from bars_portal.exchange.receiver.server.lingering import LingeringWorker


class Counting(LingeringWorker):
    """Reads one byte for one request, and ends with the answer that was told."""

    def __init__(self, pool: ThreadPoolExecutor, answer: object) -> None:
        self.tpool, self.alive, self.answer, self.handled = pool, True, answer, 0

    def handle_one(self, conn: Any) -> object:
        self.handled += conn.sock.recv(1) != b""
        return self.answer


def connection(ours: socket.socket, read_ahead: bytes = b"") -> Any:
    buffer = SimpleNamespace(getvalue=lambda: read_ahead)
    return SimpleNamespace(sock=ours, parser=SimpleNamespace(unreader=SimpleNamespace(buf=buffer)))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture
def client() -> Iterator[Callable[[bytes], socket.socket]]:
    """Sends, and gives the server's end."""
    theirs, ours = socket.socketpair()
    with theirs, ours:

        def send(content: bytes) -> socket.socket:
            theirs.sendall(content)
            return ours

        yield send


def test_requests_that_follow_at_once_are_handled_together(pool: ThreadPoolExecutor, client: Any) -> None:
    worker = Counting(pool, answer=True)
    assert worker.handle(connection(client(b"abc"))) is True
    assert worker.handled == 3


@pytest.mark.parametrize("answer", [False, object()], ids=["closed", "deferred"])
def test_a_connection_that_is_not_kept_ends_at_once(
    pool: ThreadPoolExecutor, client: Any, answer: object
) -> None:
    worker = Counting(pool, answer)
    assert worker.handle(connection(client(b"ab"))) is answer
    assert worker.handled == 1


def test_a_worker_that_stops_does_not_linger(pool: ThreadPoolExecutor, client: Any) -> None:
    worker = Counting(pool, answer=True)
    worker.alive = False
    worker.handle(connection(client(b"no")))
    assert worker.handled == 1


def test_what_was_read_ahead_goes_back_to_the_poller(pool: ThreadPoolExecutor, client: Any) -> None:
    worker = Counting(pool, answer=True)
    worker.handle(connection(client(b"no"), read_ahead=b"GET"))
    assert worker.handled == 1


def test_somebody_who_waits_for_a_thread_goes_first(pool: ThreadPoolExecutor, client: Any) -> None:
    worker, release = Counting(pool, answer=True), Event()
    try:
        pool.submit(release.wait)
        pool.submit(release.wait)
        worker.handle(connection(client(b"no")))
    finally:
        release.set()
    assert worker.handled == 1
