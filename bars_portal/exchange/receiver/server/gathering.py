"""The requests that are still arriving: gathered in the poller, so that half of one holds no thread.

Where a request ends is told from its bytes alone, only as a guide to when it is worth parsing. What cannot
be told is handed on with what is there of it, and the parser judges that.
"""

import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from selectors import EVENT_READ, BaseSelector
from typing import Any

from gunicorn.workers.gthread import TConn

from bars_portal.exchange.receiver.server.bounded import Bounded

# More than gunicorn takes of a head, a line of 8,190 bytes and 100 such fields: the parser then says which
# part of it is too large.
MOST_HEAD = 830_000
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\nTransfer-Encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nExpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_SIZE = re.compile(rb"([0-9a-fA-F]{1,100})[ \t]*(?:;[^\r\n]*)?\r\n")
_LAST = b"0\r\n\r\n"
# The longest line that a chunk may begin with, as far as we wait for its end.
_MOST_LINE = 1_000


@dataclass
class Framing:
    """The bytes of one request so far, and what they say of its end.

    Of a body that is announced as longer than `most`, nothing is kept: only its bytes are counted. Of one in
    chunks that is what comes after so many.
    """

    most: int
    data: bytearray = field(default_factory=bytearray)
    # Length of head and blank line, once they are complete.
    head: int = 0
    # Of the body as announced; None when it comes in chunks.
    length: int | None = 0
    thrown_away: int = 0
    is_too_long: bool = False
    # Whether it is handed on although nobody can tell where it ends.
    is_unclear: bool = False
    # The latest bytes of a body in chunks that is too long.
    _latest: bytes = b""
    # What of the body was looked at, when it comes in chunks, and how many bytes are in them.
    _at: int = 0
    _in_whole_chunks: int = 0
    _content: int = 0
    _searched: int = 0

    def add(self, piece: bytes) -> None:
        if self.is_too_long:
            self.thrown_away += len(piece)
            self._latest = (self._latest + piece)[-len(_LAST) :]
            return
        self.data += piece
        if not self.head:
            self._find_head()
        if self.head and self.length is None and self.received > self.most and self._is_over():
            self.is_too_long, self._latest = True, bytes(self.data[-len(_LAST) :])

    @property
    def received(self) -> int:
        """Bytes of the body."""
        return len(self.data) - self.head + self.thrown_away

    def is_whole(self, most_thrown_away: int) -> bool:
        """Whether a thread need not wait for anything any more, or must say what is wrong."""
        if not self.head:
            self.is_unclear = len(self.data) > MOST_HEAD
            return self.is_unclear
        if self.length is None and self.is_too_long:
            # A guess: whoever is cut off by it was not read to the end anyway.
            return self._latest == _LAST or self.thrown_away >= most_thrown_away
        if self.length is None:
            return self._has_last_chunk()
        return self.received >= min(self.length, most_thrown_away if self.is_too_long else self.length)

    def takes_back_expectation(self) -> bool:
        """Whether the client waits to be told to go on; the head then says so no more."""
        found = _EXPECTS.search(self.data, 0, self.head)
        if found is None or self.received or self.length == 0:
            return False
        del self.data[found.start() : found.end()]
        self.head -= len(found[0])
        self._at = self.head
        return True

    def _find_head(self) -> None:
        found = self.data.find(_END, max(0, self._searched - len(_END)))
        self._searched = len(self.data)
        if found < 0:
            return
        self.head = self._at = found + len(_END)
        head = bytes(self.data[: self.head])
        lengths = _LENGTH.findall(head)
        codings = [each.strip().lower() for each in _CODING.findall(head)]
        # What contradicts itself, and a coding that is not known, the parser refuses without a body.
        if codings:
            self.length = None if codings == [b"chunked"] and not lengths else 0
        else:
            self.length = int(lengths[0]) if len(set(lengths)) == 1 else 0
        if self.length is not None and self.length > self.most:
            self.is_too_long = True
            self.thrown_away = len(self.data) - self.head
            del self.data[self.head :]

    def _is_over(self) -> bool:
        """Whether the chunks hold more than that: who reads them then says so, and not that they were cut."""
        self._has_last_chunk()
        return self._content > self.most or self.received > 2 * self.most

    def _has_last_chunk(self) -> bool:
        while True:
            size = _SIZE.match(self.data, self._at)
            if size is None:
                # Not yet all of the line, or none: then the parser says so.
                left = self.data[self._at :]
                self.is_unclear = b"\r\n" in left or len(left) > _MOST_LINE
                return self.is_unclear
            if int(size[1], 16) == 0:
                # Its trailers end with a blank line.
                return self.data.find(_END, size.end() - 2) >= 0
            length = int(size[1], 16)
            end = size.end() + length + 2
            self._content = self._in_whole_chunks + min(length, len(self.data) - size.end())
            if end > len(self.data):
                return False
            self._at, self._in_whole_chunks = end, self._content


HEAD_SECONDS = 5.0
# Read and thrown away of a body that is too large, so that its sender hears the answer.
MOST_THROWN_AWAY = 20_000_000
# At once, in one worker: how many, and how much memory they may hold together.
MOST_REQUESTS = 200
MOST_BYTES = 64_000_000
_PIECE = 65_536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class GatheredConnection(TConn):  # type: ignore[misc]  # gunicorn has no annotations
    """A connection of ours: its parser is there from the start, and it remembers how long it has served."""

    sock: Bounded
    # The moment by which the request that is being read must be complete.
    deadline = 0.0
    # Of a body longer than this only the length is noticed.
    most_body = 0
    # How long it has for a request, when that is less than others have.
    request_seconds: float | None = None
    closed = False

    def __init__(self, cfg: Any, sock: Bounded, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.opened_at = time.monotonic()
        self.requests = 0


@dataclass
class _Arriving:
    conn: GatheredConnection
    framing: Framing
    head_by: float
    # Its bytes, as far as they are in the sum.
    counted: int = 0

    @property
    def deadline(self) -> float:
        return self.conn.deadline if self.framing.head else min(self.head_by, self.conn.deadline)


class Gathering:
    """Advances each request as its bytes arrive.

    `whole` gets a connection whose parser need not wait, and `dropped` one to be closed, with the reason in
    plain words. Both are called in the poller's thread; its sockets are non-blocking until then.
    """

    def __init__(
        self,
        poller: BaseSelector,
        *,
        seconds: float,
        whole: Callable[[GatheredConnection], None],
        dropped: Callable[[GatheredConnection, str], None],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._poller, self._seconds, self._most_bytes = poller, seconds, most_bytes
        self._whole, self._dropped = whole, dropped
        # In order of arrival.
        self._waiting: dict[Bounded, _Arriving] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, conn: GatheredConnection) -> None:
        """Its first bytes are there, or may be: on the socket, or read ahead with the request before."""
        now = time.monotonic()
        conn.sock.setblocking(False)
        conn.deadline = now + (conn.request_seconds or self._seconds)
        arriving = _Arriving(conn, Framing(conn.most_body), now + HEAD_SECONDS)
        arriving.framing.add(conn.parser.unreader.take_buffered())
        if over := self._read(arriving):
            over()
            return
        if len(self._waiting) >= MOST_REQUESTS:
            # A flood of halves pushes out its own.
            self._drop_oldest("too many at once")
        self._waiting[conn.sock] = arriving
        self._poller.register(conn.sock, EVENT_READ, self._advance)
        self._count(arriving)

    def drop_late(self) -> None:
        """Give up every request whose time is over; who has said what he wants hears so."""
        now = time.monotonic()
        for arriving in [each for each in self._waiting.values() if each.deadline <= now]:
            self._forget(arriving)
            if arriving.framing.head:
                # Its reading ends at once: the application answers 408 and keeps what came.
                arriving.conn.deadline = 0.0
                self._hand_over(arriving)
            else:
                self._dropped(arriving.conn, "too slow")

    def _advance(self, sock: Bounded) -> None:
        arriving = self._waiting.get(sock)
        if arriving is None:
            # Given up earlier in this same round of the poller.
            return
        if over := self._read(arriving):
            self._forget(arriving)
            over()
        else:
            self._count(arriving)

    def _read(self, arriving: _Arriving) -> Callable[[], None] | None:
        """What is there; and what to do with the connection, when its request is over."""
        framing, sock = arriving.framing, arriving.conn.sock
        ended = False
        try:
            while not (framing.is_whole(MOST_THROWN_AWAY) or ended):
                piece = sock.read_now(_PIECE)
                framing.add(piece)
                ended = not piece
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return self._expected(arriving)
        except OSError as error:
            return partial(self._dropped, arriving.conn, f"connection lost ({type(error).__name__})")
        if ended and not framing.head:
            return partial(self._dropped, arriving.conn, "")
        # Who ended within a body is handed on as well: what came of it belongs to the record.
        return partial(self._hand_over, arriving)

    def _expected(self, arriving: _Arriving) -> Callable[[], None] | None:
        """A client may wait to be told to go on."""
        if arriving.framing.is_too_long or not arriving.framing.takes_back_expectation():
            return None
        try:
            arriving.conn.sock.send_now(_CONTINUE)
        except OSError:
            return partial(self._dropped, arriving.conn, "takes no answer")
        return None

    def _hand_over(self, arriving: _Arriving) -> None:
        conn, framing = arriving.conn, arriving.framing
        conn.parser.unreader.unread(framing.data)
        if framing.is_too_long or framing.is_unclear:
            # In a thread nothing of it is waited for.
            conn.sock.end_input()
        self._whole(conn)

    def _count(self, arriving: _Arriving) -> None:
        self._bytes += len(arriving.framing.data) - arriving.counted
        arriving.counted = len(arriving.framing.data)
        while self._bytes > self._most_bytes:
            self._drop_oldest("too much at once")

    def _drop_oldest(self, reason: str) -> None:
        arriving = next(iter(self._waiting.values()))
        self._forget(arriving)
        self._dropped(arriving.conn, reason)

    def _forget(self, arriving: _Arriving) -> None:
        """Before anybody else waits for it or closes it."""
        self._poller.unregister(arriving.conn.sock)
        del self._waiting[arriving.conn.sock]
        self._bytes -= arriving.counted
