"""A hundred halves of requests at once, at the receiver and at the portal: nobody else waits for them."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.running import Plain, Receiver, running, running_portal

# Connections of each of two workers.
MOST = 120
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
HALVES = {
    "head": HEAD + b"X-Half: ",
    "body": HEAD + b"Content-Length: 50\r\n\r\nhalf",
    "large": HEAD + b"Content-Length: 200000000\r\n\r\nhalf",
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n32\r\nhalf",
    "expecting": HEAD + b"Expect: 100-continue\r\nContent-Length: 50\r\n\r\n",
}


@pytest.fixture(
    scope="module",
    params=[running, pytest.param(running_portal, marks=pytest.mark.further)],
    ids=["receiver", "portal"],
)
def server(
    request: pytest.FixtureRequest, pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Receiver]:
    start: Callable[..., contextlib.AbstractContextManager[Receiver]] = request.param
    fewer = {"GUNICORN_CMD_ARGS": f"--worker-connections {MOST}"}
    with start(pki, tmp_path_factory.mktemp("crowded"), fewer) as running_server:
        yield running_server


def test_a_hundred_halves_delay_nobody_and_are_given_up(server: Receiver) -> None:
    before = server.count
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(server.open()) for _ in range(100)]
        for number, sock in enumerate(crowd):
            sock.sendall(list(HALVES.values())[number % len(HALVES)])
        for _ in range(6):
            began = time.monotonic()
            server.ask(body=b"whole")
            assert time.monotonic() - began < 1
        assert server.count == before + 6, "none of the halves has taken a thread"
        ends = time.monotonic() + 13
        for sock in crowd:
            sock.settimeout(max(0.1, ends - time.monotonic()))
            with contextlib.suppress(ConnectionResetError):
                while sock.recv(4096):
                    pass
    server.ask()
    assert server.logs("closed: too slow")
    assert "Traceback" not in server.log


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STALLING = {
    "after leading zeros": CHUNKED + b"0" * 30 + b"32\r\nhalf",
    "in a line without an end": CHUNKED + b"32;" + b"x" * 2000,
    "in a line that is none": CHUNKED + b"3\r\nabc5\r\nhalf",
    "in trailers": CHUNKED + b"0\r\nX-Half: ",
    "in a long head": HEAD + b"".join(b"X-%d: %s\r\n" % (number, b"x" * 8000) for number in range(18)),
}


def test_a_hundred_that_stall_in_chunks_delay_nobody(server: Receiver) -> None:
    """Of bodies over every limit a few: they are as large as that."""
    over = CHUNKED + b"%x\r\n" % 50_000_000 + b"x" * (12_000_000 if isinstance(server, Plain) else 3_500_000)
    with contextlib.ExitStack() as stack:
        for number in range(100):
            sock = stack.enter_context(server.open())
            sock.sendall(over if number % 25 == 0 else list(STALLING.values())[number % len(STALLING)])
        for _ in range(6):
            began = time.monotonic()
            server.ask(body=b"whole")
            assert time.monotonic() - began < 1
    assert "Traceback" not in server.log


@pytest.mark.parametrize("framing", ["announced", "in chunks"])
def test_what_is_not_read_to_its_end_ends_the_connection_and_the_answer_says_so(
    server: Receiver, framing: str
) -> None:
    """As after a 413: what is left of the body is not waited for, and not taken for another request."""
    body = b"x" * 1_000_000
    if framing == "announced":
        sent = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    else:
        sent = CHUNKED.replace(b"/ ", b"/unread ") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with contextlib.closing(server.open()) as sock:
        sock.sendall(sent)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert answer.count(b"HTTP/1.1") == 1


def test_a_small_rest_is_thrown_away_and_the_connection_stays(server: Receiver) -> None:
    small = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nleft over"
    with contextlib.closing(server.open()) as sock:
        sock.sendall(small + HEAD + b"Connection: close\r\nContent-Length: 4\r\n\r\nlast")
        answers = b"".join(iter(lambda: sock.recv(4096), b""))
    assert answers.startswith(b"HTTP/1.1 413")
    assert b'"received": 4' in answers


def test_a_large_request_follows_a_small_one_on_its_connection(server: Receiver) -> None:
    """Its bytes are there before the one before is over: they are no rest of that."""
    size = 900_000
    with contextlib.closing(server.open()) as sock:
        sock.sendall(HEAD + b"Content-Length: 5\r\n\r\nsmall")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200")
        sock.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert b'"received": %d' % size in answer


@pytest.mark.parametrize("size", [10, 900_000])
def test_a_client_that_waits_to_be_told_is_told(server: Receiver, size: int) -> None:
    with contextlib.closing(server.open()) as sock:
        sock.sendall(HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        assert sock.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"x" * size)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"received": %d' % size in answer


def test_chunks_and_requests_that_are_sent_ahead_are_answered_in_order(server: Receiver) -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    last = HEAD + b"Connection: close\r\nContent-Length: 4\r\n\r\nlast"
    with contextlib.closing(server.open()) as sock:
        sock.sendall(chunked + last[:-2])
        time.sleep(0.2)
        sock.sendall(last[-2:])
        answers = b"".join(iter(lambda: sock.recv(4096), b""))
    assert [b'"received": 5' in answers, b'"received": 4' in answers] == [True, True]
    assert answers.index(b'"received": 5') < answers.index(b'"received": 4')


def test_the_idle_make_room(server: Receiver) -> None:
    """More silent connections than the workers take together: a new client is answered all the same."""
    with contextlib.ExitStack() as stack:
        for _ in range(2 * MOST + 20):
            stack.enter_context(server.open())
        began = time.monotonic()
        server.ask()
        assert time.monotonic() - began < 5
        assert server.logs("closed: room is needed")
    assert "Traceback" not in server.log
