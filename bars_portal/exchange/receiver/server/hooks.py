"""What gunicorn does otherwise here: around a worker's life, and in its access log.

gunicorn stops everything when a worker cannot start. That is right for a release that cannot start at all,
and wrong for one worker that comes back while the database or a file is away: the others still answer.

The access log says method, path, status and milliseconds. No query, no headers: both hold patient data. Of a
request that was refused or sent elsewhere only the known part of the path: a mistake may have put a patient
into it.
"""

import ctypes
import mmap
import os
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from bars_portal import correlation
from bars_portal.logging import PlainFormatter

# Between two attempts of one worker.
WAIT_SECONDS = 2.0
_TRY_AGAIN = 1
# mallopt(3): parameters of malloc.h, which Python has no names for.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_HEAPS = 2
# glibc's own start value; setting it stops it from growing with the largest block that was ever freed.
_LARGE_BYTES = 131_072
# Shared by the master and all workers: whether any of them ever started.
_started = mmap.mmap(-1, 1)


def limit_heaps() -> bool:
    """Without this, bursts of large bodies treble a worker: to be called before its threads start.

    glibc keeps up to eight heaps a core and spreads the request threads over them; each keeps the holes of
    its own worst moment. So: two heaps, and large blocks returned at once. False where there is no mallopt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    # A list: every one is set, whatever became of the one before.
    taken = [mallopt(parameter, value) for parameter, value in wanted]
    return all(each == 1 for each in taken)


def note_started() -> None:
    """For post_worker_init."""
    _started[0] = 1


def spare_the_others(worker: Worker) -> None:
    """For worker_exit: another exit code than the ones that stop the server, once a worker has started."""
    in_the_worker = os.getpid() == worker.pid
    if in_the_worker and not worker.booted and _started[0]:
        time.sleep(WAIT_SECONDS)
        raise SystemExit(_TRY_AGAIN)


# Every other word stands where a method should, and could be anybody's name.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
# From here on nobody has found a page at that path.
_NOT_FOUND_THERE = 300
# What our own paths begin with, the receiver's and the portal's.
_KNOWN = re.compile(
    r"FHIR|R4|metadata|MessageDefinition|\$process-message|Slot|Appointment"
    r"|accounts|admin|api|bookings|health|messages|onboarding|referrals|reports|services|static|status|trail"
    r"|live|ready|sign-in|cis2|callback"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)


def loggable(path: str, status: int) -> str:
    """The path up to what nobody here has named."""
    if status < _NOT_FOUND_THERE:
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part and not _KNOWN.fullmatch(part):
            return "/".join([*kept, "..."])
        kept.append(part)
    return "/".join(kept)


class PlainAccessLog(Logger):  # type: ignore[misc]  # gunicorn has no annotations
    """gunicorn's logger with a line that cannot be configured into saying more; its format is that of all."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(PlainFormatter())

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:
        if self.access_log_enabled:
            # As sent, still percent-encoded: a decoded path could forge a second line.
            raw = str(environ.get("RAW_URI", "")).partition("?")[0]
            status = str(resp.status).partition(" ")[0]
            path = loggable(raw, int(status))
            method = environ["REQUEST_METHOD"]
            fields = {
                "method": method if method in _METHODS else "...",
                "path": path,
                "status": int(status),
                "milliseconds": request_time // timedelta(milliseconds=1),
            }
            self.access_log.info("%(method)s %(path)s %(status)d %(milliseconds)d ms", fields, extra=fields)
        # The thread's next request may fail before it has an id.
        correlation.forget()
