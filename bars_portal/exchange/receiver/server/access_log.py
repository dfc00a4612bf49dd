"""The access log: method, path, status, milliseconds. No query, no headers: both hold patient data."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger


class PlainAccessLog(Logger):  # type: ignore[misc]  # gunicorn has no annotations
    """gunicorn's logger with a line that cannot be configured into saying more."""

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:
        if self.access_log_enabled:
            # As sent, still percent-encoded: a decoded path could forge a second line.
            path = str(environ.get("RAW_URI", "")).partition("?")[0]
            status = str(resp.status).partition(" ")[0]
            milliseconds = request_time // timedelta(milliseconds=1)
            self.access_log.info("%s %s %s %d ms", environ["REQUEST_METHOD"], path, status, milliseconds)
