"""Whether the receiver is ready: a TLS handshake with it and the database, each in bounded time."""

import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError

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
