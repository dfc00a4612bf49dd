"""The poller's handshakes by themselves: how many, how long, and that one given up stays given up."""

import selectors
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.tls import (
    Address,
    Handshakes,
    PeerSocket,
    reason_of,
    server_context,
)
from tests.integration.receiver_server.running import environment


class Desk:
    """Two handshakes at most; remembers who was refused and why."""

    def __init__(self, settings: ServerSettings, stack: ExitStack, *, seconds: float) -> None:
        self.poller = stack.enter_context(selectors.DefaultSelector())
        self.refused: list[tuple[int, str]] = []
        self.context, self.stack = server_context(settings), stack
        self.handshakes = Handshakes(self.poller, seconds=seconds, most=2, done=self.never, refused=self.note)

    def never(self, sock: PeerSocket, address: Address) -> None:
        raise AssertionError("nobody here finishes")

    def note(self, sock: PeerSocket, address: Address, reason: str) -> None:
        self.refused.append((address[1], reason))
        sock.close()

    def arrive(self, number: int) -> socket.socket:
        near, far = socket.socketpair()
        near.setblocking(False)
        wrapped = self.context.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
        self.stack.callback(wrapped.close)
        self.handshakes.begin(cast(PeerSocket, wrapped), ("127.0.0.1", number))
        return self.stack.enter_context(far)

    def turn(self) -> None:
        """One round of the poller, as gunicorn does it."""
        for key, _ in self.poller.select(0.1):
            key.data(key.fileobj)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def settings(pki: PkiFiles, tmp_path: Path) -> ServerSettings:
    return ServerSettings.read(environment(pki, 8443, tmp_path))


def test_a_flood_pushes_out_its_own_oldest(settings: ServerSettings, stack: ExitStack) -> None:
    desk = Desk(settings, stack, seconds=60)
    for number in range(4):
        desk.arrive(number)
    assert desk.refused == [(0, "too many at once"), (1, "too many at once")]
    assert len(desk.handshakes) == 2


def test_only_the_late_are_dropped(settings: ServerSettings, stack: ExitStack) -> None:
    late, early = Desk(settings, stack, seconds=0), Desk(settings, stack, seconds=60)
    for desk in (late, early):
        desk.arrive(7)
        desk.handshakes.drop_late()
    assert late.refused == [(7, "not finished within 0 s")]
    assert early.refused == []
    assert not late.poller.get_map()


def test_bytes_of_one_given_up_in_the_same_round_are_ignored(
    settings: ServerSettings, stack: ExitStack
) -> None:
    desk = Desk(settings, stack, seconds=0)
    desk.arrive(1).sendall(b"\x16")
    events = desk.poller.select(1)
    desk.handshakes.drop_late()
    for key, _ in events:
        key.data(key.fileobj)
    assert len(desk.refused) == 1


@pytest.mark.parametrize(
    ("said", "reason"), [(b"GET / HTTP/1.1\r\n\r\n", "http request"), (b"\x00" * 50, "wrong version number")]
)
def test_what_is_no_handshake_is_refused_with_openssls_word(
    settings: ServerSettings, stack: ExitStack, said: bytes, reason: str
) -> None:
    desk = Desk(settings, stack, seconds=60)
    desk.arrive(1).sendall(said)
    desk.turn()
    assert desk.refused == [(1, reason)]


def test_half_a_hello_waits_for_the_rest(settings: ServerSettings, stack: ExitStack) -> None:
    desk = Desk(settings, stack, seconds=60)
    desk.arrive(1).sendall(b"\x16\x03\x01")
    desk.turn()
    assert (desk.refused, len(desk.handshakes)) == ([], 1)


@pytest.mark.parametrize("error", [ConnectionResetError("secret"), OSError("secret"), ssl.SSLError()])
def test_other_faults_are_a_lost_connection(error: OSError) -> None:
    assert reason_of(error) == "connection lost"
