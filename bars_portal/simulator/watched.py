"""A small file that others write while we run: read again only when it has changed."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

log = logging.getLogger("simulator")
T = TypeVar("T")
Stamp = tuple[int, int, int]


class WatchedFile(Generic[T]):
    """The parsed content of one file. Safe to share between threads.

    `parse` gets the bytes and may raise ValueError or OSError: then the last good content stays (the writer
    may be half-way). A missing file counts as `empty`.
    """

    def __init__(self, path: Path, *, parse: Callable[[bytes], T], empty: T) -> None:
        self._path = path
        self._parse = parse
        self._empty = empty
        self._value = empty
        self._seen: Stamp | None = None
        self._lock = Lock()

    def read(self) -> T:
        """The content as of now."""
        with self._lock:
            stamp = self._stamp()
            if stamp is None:
                self._value, self._seen = self._empty, None
            elif stamp != self._seen:
                self._load(stamp)
            return self._value

    def _stamp(self) -> Stamp | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _load(self, stamp: Stamp) -> None:
        try:
            self._value = self._parse(self._path.read_bytes())
            self._seen = stamp
        except (ValueError, OSError) as problem:
            # Not marked as seen: what was missing (a key file, say) may come without another change.
            log.warning(
                "%s could not be read (%s): keeping the last content", self._path.name, type(problem).__name__
            )
