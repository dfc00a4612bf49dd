"""Which requests came by: one log line each, and the last fifty for the status page. Never patient data."""

import logging
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from bars_portal.simulator.outcomes import Refused
from bars_portal.simulator.target import TARGET_HEADER, decode_target
from bars_portal.simulator.wire import Request

KEPT = 50
LONGEST_PATH = 120
# An NHS number has ten digits: nothing like it belongs in a path, so whatever looks so is hidden.
_LONG_NUMBER = re.compile(r"\d{9,}")
_SERVICE_ID = re.compile(r"[A-Za-z0-9]{1,20}")
log = logging.getLogger("simulator")


@dataclass(frozen=True)
class Entry:
    """One request; `status` is the HTTP status or "cut"."""

    at: datetime
    method: str
    path: str
    service: str
    status: str


class Journal:
    """The last KEPT requests, newest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def note(self, request: Request, *, status: str, at: datetime, took_ms: int) -> None:
        """Remembers and logs the request, without query, headers and body."""
        entry = Entry(at, request.method[:10], safe_path(request.raw_path), _service(request), status)
        with self._lock:
            self._entries.appendleft(entry)
        log.info("%s %s service=%s status=%s ms=%d", entry.method, entry.path, entry.service, status, took_ms)

    def entries(self) -> tuple[Entry, ...]:
        """What is remembered, newest first."""
        with self._lock:
            return tuple(self._entries)


def safe_path(path: str) -> str:
    """The path, shortened, still percent-encoded, long numbers hidden, printable ASCII only."""
    hidden = _LONG_NUMBER.sub("***", path[:LONGEST_PATH])
    return "".join(char if "!" <= char <= "~" else "?" for char in hidden)


def _service(request: Request) -> str:
    try:
        value = decode_target(request.header(TARGET_HEADER)).value
    except Refused:
        return "-"
    return value if _SERVICE_ID.fullmatch(value) else "?"
