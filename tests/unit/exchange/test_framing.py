"""Where a request ends, told from its bytes: however they arrive in pieces."""

import pytest

from bars_portal.exchange.receiver.server.gathering import MOST_HEAD, Framing

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0\r\n\r\n45678\r\n0\r\n"
EXPECTS = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
MOST_THROWN_AWAY = 50


def arrived(*pieces: bytes, most: int = 100) -> Framing:
    framing = Framing(most)
    for piece in pieces:
        framing.add(piece)
    return framing


def one_by_one(data: bytes, most: int = 100) -> int:
    """After how many bytes it is whole."""
    framing = Framing(most)
    for number, byte in enumerate(data, 1):
        framing.add(bytes([byte]))
        if framing.is_whole(MOST_THROWN_AWAY):
            return number
    return 0


@pytest.mark.parametrize(
    "whole", [GET, SIZED, CHUNKED + b"\r\n", CHUNKED + b"X-Trailer: y\r\n\r\n"], ids=repr
)
def test_it_is_whole_with_its_last_byte_and_no_sooner(whole: bytes) -> None:
    assert one_by_one(whole) == len(whole)
    assert arrived(whole).is_whole(MOST_THROWN_AWAY)
    assert arrived(whole, GET).data == whole + GET, "what was sent ahead is kept"


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"X" * (MOST_HEAD + 1),
    ],
    ids=range(5),
)
def test_what_the_parser_refuses_is_not_waited_for(head: bytes) -> None:
    assert arrived(head).is_whole(MOST_THROWN_AWAY)


@pytest.mark.parametrize(("length", "whole_at"), [(11, 11), (49, 49), (10**12, MOST_THROWN_AWAY)])
def test_of_a_body_that_is_too_long_nothing_is_kept(length: int, whole_at: int) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length
    framing = arrived(head + b"xx", *[b"x"] * (whole_at - 3), most=10)
    assert framing.is_too_long
    assert not framing.is_whole(MOST_THROWN_AWAY)
    framing.add(b"x")
    assert framing.is_whole(MOST_THROWN_AWAY)
    assert framing.data == head


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"x" * MOST_THROWN_AWAY], ids=["said", "never"])
def test_of_a_body_in_chunks_no_more_is_kept_than_shows_that_it_is_too_long(end: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    framing = arrived(head, b"ffff\r\n", b"x" * 10, b"x" * 20, most=9)
    assert framing.is_too_long
    assert not framing.is_whole(MOST_THROWN_AWAY)
    framing.add(end)
    assert framing.is_whole(MOST_THROWN_AWAY)
    assert framing.data == head + b"ffff\r\n" + b"x" * 10


def test_what_stands_between_chunks_is_no_content() -> None:
    """Whoever reads them must find more than is allowed, else a body that is too long looks like one cut."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    framing = arrived(head, b"64\r\n", b"x" * 100, b"\r\n")
    assert not framing.is_too_long
    framing.add(b"1\r\nx")
    assert framing.is_too_long
    assert arrived(head, *[b"1\r\nx\r\n"] * 34).is_too_long, "nearly all of it is between"


def test_a_client_is_told_once_to_go_on() -> None:
    framing = arrived(EXPECTS)
    assert framing.takes_back_expectation()
    assert not framing.takes_back_expectation()
    framing.add(b"abc")
    assert framing.is_whole(MOST_THROWN_AWAY)
    assert framing.data == EXPECTS.replace(b"\r\nExpect: 100-continue", b"") + b"abc"
