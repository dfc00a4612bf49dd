"""gzip within limits."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.message_bytes import Corrupt, TooLarge, deflate, inflate, is_deflated


@given(st.binary(max_size=500))
def test_both_ways(content: bytes) -> None:
    assert inflate(deflate(content), limit=500) == content
    assert deflate(content) == deflate(content)
    assert is_deflated(deflate(content))


def test_the_limit_is_exact() -> None:
    body = deflate(b"x" * 1000)
    assert len(inflate(body, limit=1000)) == 1000
    with pytest.raises(TooLarge):
        inflate(body, limit=999)


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    assert len(bomb) < 300_000
    with pytest.raises(TooLarge):
        inflate(bomb, limit=10_000_000)


def test_several_members_are_one_content_and_share_the_limit() -> None:
    assert inflate(deflate(b"ab") + deflate(b"cd"), limit=4) == b"abcd"
    with pytest.raises(TooLarge):
        inflate(deflate(b"ab") + deflate(b"cd"), limit=3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        deflate(b"abc")[:-3],
        deflate(b"abc") + b"rest",
        deflate(b"") * 100_000,
        deflate(b"abc")[:-6] + b"wrong!",
    ],
)
def test_what_is_no_gzip_is_corrupt(body: bytes) -> None:
    with pytest.raises(Corrupt):
        inflate(body, limit=100)
