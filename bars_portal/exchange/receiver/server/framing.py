"""Where a request ends, told from its bytes alone: for the poller, before a thread is taken.

Only a guide to when it is worth parsing. What cannot be told is handed on with what is there of it, and the
parser judges that.
"""

import re
from dataclasses import dataclass, field

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
