"""Several clients at once, in one thread that does next to nothing: what is measured is the server.

Each connection sends its next request when the answer to the last one is there. Requests are bytes, made
before the clock starts.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from calling import FHIR_JSON, MESSAGE, headers

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_READ = 262_144


def post(body: bytes, path: str = MESSAGE) -> bytes:
    return _request("POST", path, body)


def get(path: str) -> bytes:
    return _request("GET", path, b"")


def _request(verb: str, path: str, body: bytes) -> bytes:
    """With ids of its own."""
    named = {"Host": "127.0.0.1", "Content-Length": str(len(body)), "Content-Type": FHIR_JSON, **headers()}
    lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


@dataclass
class _Client:
    """One kept-alive connection and what has come of the answer to its last request."""

    sock: socket.socket
    answer: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.answer.clear()
        self.sock.sendall(request)

    def is_answered(self, status: int) -> bool:
        """Reads what is there. Raises AssertionError for another status or a closed connection."""
        read = self.sock.recv(_READ)
        assert read, "the server closed the connection"
        self.answer += read
        head, ended, body = self.answer.partition(_END_OF_HEAD)
        if not ended:
            return False
        assert int(head.split(b" ", 2)[1]) == status, self.answer
        return len(body) >= _length(bytes(head))


def _length(head: bytes) -> int:
    """Content-Length: both servers send it with every answer."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line.removeprefix(_LENGTH))
    raise AssertionError("an answer without a length")


@dataclass(frozen=True)
class Load:
    clients: Sequence[_Client]

    def carry(self, requests: Sequence[bytes], *, status: int) -> None:
        """Until every one is answered, with this status."""
        waiting = iter(requests)
        with selectors.DefaultSelector() as selector:
            for client in self.clients:
                selector.register(client.sock, selectors.EVENT_READ, client)
                _send_next(client, waiting, selector)
            while selector.get_map():
                for key, _ in selector.select(timeout=60):
                    if key.data.is_answered(status):
                        _send_next(key.data, waiting, selector)


def _send_next(client: _Client, waiting: Iterator[bytes], selector: selectors.BaseSelector) -> None:
    request = next(waiting, None)
    if request is None:
        selector.unregister(client.sock)
    else:
        client.send(request)


@contextmanager
def clients(port: int, count: int) -> Iterator[Load]:
    """So many connections to a server on this machine."""
    made = [_Client(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in range(count)]
    try:
        for each in made:
            each.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Load(made)
    finally:
        for each in made:
            each.sock.close()
