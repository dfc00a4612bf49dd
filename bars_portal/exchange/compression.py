"""gzip both ways, with a limit on what a body may grow to (standard section 4)."""

import gzip
import zlib

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
# Fast rather than small: the answer is on its way to a proxy in the same country.
_LEVEL = 4
# gzip allows several streams behind each other; each copies the rest, so thousands would cost minutes.
_MAX_MEMBERS = 16


class TooLarge(ValueError):
    """It would inflate to more than the limit; it was not inflated further."""


class Corrupt(ValueError):
    """It is no complete gzip stream."""


def deflate(content: bytes) -> bytes:
    """One gzip member; equal content gives equal bytes."""
    return gzip.compress(content, compresslevel=_LEVEL, mtime=0)


def inflate(body: bytes, *, limit: int) -> bytes:
    """The content, at most `limit` bytes. Raises TooLarge or Corrupt."""
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(body, room + 1)
        except zlib.error:
            raise Corrupt("This is not gzip") from None
        room -= len(part)
        if room < 0:
            raise TooLarge("It inflates to more than the limit")
        if not stream.eof:
            raise Corrupt("It ends too early")
        parts.append(part)
        body = stream.unused_data
        if not body:
            return b"".join(parts)
    raise Corrupt("It has more parts than any honest stream")


def is_deflated(body: bytes) -> bool:
    return body.startswith(_MAGIC)
