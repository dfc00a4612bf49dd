"""`python -m bars_portal.exchange.receiver.server.health`: the receiver's health, beside the receiver.

Ready means a TLS handshake with it and the database, each in bounded time.
"""

import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from bars_portal.exchange.receiver.server.environment import HealthSettings

Check = Callable[[], None]
OK = "ok"


class CheckFailed(Exception):
    """A part is not ready; the text is a few plain words, shown to whoever asks."""


class Checks:
    """Named checks. A hanging one is not started again until it ends, so that threads do not pile up."""

    def __init__(self, checks: Mapping[str, Check], *, seconds: float) -> None:
        self._checks, self._seconds = dict(checks), seconds
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(checks)))
        self._running: dict[str, Future[None]] = {}

    def run(self) -> dict[str, str]:
        """Name -> "ok" or what is wrong."""
        runs = {name: self._start(name) for name in self._checks}
        return {name: self._result(run) for name, run in runs.items()}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, name: str) -> Future[None]:
        earlier = self._running.get(name)
        if earlier is None or earlier.done():
            self._running[name] = self._pool.submit(self._checks[name])
        return self._running[name]

    def _result(self, run: Future[None]) -> str:
        try:
            run.result(timeout=self._seconds)
        except LateError:
            return "no answer in time"
        except CheckFailed as failed:
            return str(failed)
        except Exception as error:  # noqa: BLE001 - a broken check means not ready, never a dead health server
            return type(error).__name__
        return OK


_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what the receiver binds, not what we bind


def handshake_check(settings: HealthSettings, *, seconds: float) -> Check:
    """Whether a client of the receiver's own chain still gets in."""

    def check() -> None:
        # The files are read each time: a renewed certificate needs no restart.
        context = _client_context(settings)
        address = (_ANYWHERE.get(settings.host, settings.host), settings.port)
        try:
            with (
                socket.create_connection(address, timeout=seconds) as plain,
                context.wrap_socket(plain, server_hostname=settings.server_name),
            ):
                return
        except ssl.SSLError as error:
            raise CheckFailed(f"handshake failed: {(error.reason or 'broken off').lower()}") from None
        except TimeoutError:
            raise CheckFailed("no answer in time") from None
        except OSError:
            raise CheckFailed("no connection") from None

    return check


def _client_context(settings: HealthSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=settings.ca_file)
    context.load_cert_chain(settings.cert_file, settings.key_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Under TLS 1.3 a client is done before the server has judged its certificate; under 1.2 it is not.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def check_database() -> None:
    """It answers and has every migration, or CheckFailed. Uses a connection of its own and gives it back."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        raise CheckFailed("no answer") from None
    finally:
        connection.close()
    if missing:
        raise CheckFailed("migrations not applied")


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
