"""`python -m bars_portal.exchange.receiver.server.health`: the receiver's health, beside the receiver."""

import json
import os
import signal
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import django
from django.core.exceptions import ImproperlyConfigured

from bars_portal.exchange.receiver.server.environment import HealthSettings
from bars_portal.exchange.receiver.server.readiness import (
    OK,
    Checks,
    check_database,
    handshake_check,
)

CHECK_SECONDS = 2.0


class HealthServer(ThreadingHTTPServer):
    """Answers each question in a thread of its own; `serve_forever()` until `shutdown()`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], checks: Checks) -> None:
        self.checks = checks
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A prober that hangs up early is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 2  # seconds for a prober to send its question

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/health/live":
            self._answer(HTTPStatus.OK, {"status": OK, "checks": {}})
        elif path == "/health/ready":
            self._ready()
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"status": "unknown path", "checks": {}})

    def _ready(self) -> None:
        results = cast(HealthServer, self.server).checks.run()
        if all(result == OK for result in results.values()):
            self._answer(HTTPStatus.OK, {"status": OK, "checks": results})
        else:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unavailable", "checks": results})

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """A probe every few seconds is not worth a line."""


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    try:
        settings = HealthSettings.read(os.environ)
    except ImproperlyConfigured as problem:
        sys.exit(f"The receiver's health cannot start: {problem}")
    # For the look at the database only: everything else here works without.
    os.environ.setdefault("BARS_PROCESS", "receiver")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")
    django.setup()
    handshake = handshake_check(settings, seconds=CHECK_SECONDS)
    checks = Checks({"tls": handshake, "database": check_database}, seconds=CHECK_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with HealthServer((settings.health_host, settings.health_port), checks) as server:
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            sys.exit(0)
        finally:
            checks.close()


if __name__ == "__main__":
    main()
