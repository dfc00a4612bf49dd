"""The access log: method, path, status, milliseconds. No query, no headers: both hold patient data.

Of a request that was refused or sent elsewhere only the known part of the path: a mistake may have put a
patient into it.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from bars_portal import correlation
from bars_portal.logging import PlainFormatter

# Every other word stands where a method should, and could be anybody's name.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
# From here on nobody has found a page at that path.
_NOT_FOUND_THERE = 300
# What our own paths begin with, the receiver's and the portal's.
_KNOWN = re.compile(
    r"FHIR|R4|metadata|MessageDefinition|\$process-message|Slot|Appointment"
    r"|accounts|admin|bookings|referrals|health|services|static|status|trail|live|ready|sign-in|cis2|callback"
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
