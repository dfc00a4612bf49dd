"""One shot, one connection: bytes out, at most one answer read back."""

import gzip
import socket
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any

from tests.fuzz.judging import Answer
from tests.fuzz.shots import Shot
from tests.fuzz.target import Target

# Longer than the receiver gives a request, so that its own answer to a late one is seen.
_PATIENCE = 20.0
# What is no request may leave the server waiting for the rest of it.
_LITTLE_PATIENCE = 1.5


def fire(target: Target, shot: Shot) -> Answer | None:
    """None when the server answered nothing that is HTTP, or the shot does not wait."""
    try:
        with _connection(target, shot) as sock:
            with suppress(OSError):
                # A server may refuse before all is sent, and its answer is still to be read.
                sock.sendall(shot.data)
            return None if shot.cut else _read(sock, shot)
    except OSError:
        return None


def _connection(target: Target, shot: Shot) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", target.port), timeout=_PATIENCE)
    plain.settimeout(_PATIENCE if shot.sound else _LITTLE_PATIENCE)
    if not shot.tls:
        return plain
    try:
        return target.context.wrap_socket(plain, server_hostname="localhost")
    except OSError:
        plain.close()
        raise


def _read(sock: socket.socket, shot: Shot) -> Answer | None:
    response = HTTPResponse(sock, method="HEAD" if shot.data.startswith(b"HEAD ") else "GET")
    try:
        response.begin()
        body = response.read()
    except (HTTPException, OSError, ValueError):
        return None
    return _answer(response, body)


def _answer(response: Any, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(response.status, headers, body)
