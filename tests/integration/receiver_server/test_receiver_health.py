"""The health server: live always, ready only with every check, and soon whatever hangs."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest

from bars_portal.exchange.receiver.server.environment import HealthSettings
from bars_portal.exchange.receiver.server.health import (
    Check,
    CheckFailed,
    Checks,
    HealthServer,
    handshake_check,
)
from tests.integration.receiver_server.running import Receiver, free_port

Answer = tuple[int, dict[str, Any]]


@contextmanager
def served(checks: Mapping[str, Check], seconds: float = 2.0) -> Iterator[Callable[[str], Answer]]:
    """A function that asks the running health server."""
    runner = Checks(checks, seconds=seconds)
    with HealthServer(("127.0.0.1", 0), runner) as server, closing(runner):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield lambda path: ask(server.server_address[1], path)
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, path: str) -> Answer:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def fine() -> None:
    """Nothing is wrong."""


def unmigrated() -> None:
    raise CheckFailed("migrations not applied")


def broken() -> None:
    raise ZeroDivisionError("a detail that must not be shown")


def tls_check(
    receiver: Receiver,
    client: str = "proxy-client",
    *,
    port: int | None = None,
    server_name: str = "localhost",
) -> Check:
    settings = HealthSettings(
        health_host="127.0.0.1",
        health_port=1,
        host="0.0.0.0",
        port=port or receiver.port,
        server_name=server_name,
        ca_file=receiver.pki.ca_chain,
        cert_file=receiver.pki.certificate(client),
        key_file=receiver.pki.key(client),
    )
    return handshake_check(settings, seconds=2)


def test_ready_when_every_check_passes(receiver: Receiver) -> None:
    with served({"tls": tls_check(receiver), "database": fine}) as get:
        assert get("/health/ready") == (200, {"status": "ok", "checks": {"tls": "ok", "database": "ok"}})


@pytest.mark.parametrize(
    ("check", "word"), [(unmigrated, "migrations not applied"), (broken, "ZeroDivisionError")]
)
def test_one_failing_check_is_enough(check: Check, word: str) -> None:
    with served({"tls": fine, "database": check}) as get:
        status, body = get("/health/ready")
        assert (status, body["status"]) == (503, "unavailable")
        assert body["checks"] == {"tls": "ok", "database": word}
        assert get("/health/live")[0] == 200


def test_a_client_that_the_receiver_refuses_is_not_ready(receiver: Receiver) -> None:
    with pytest.raises(CheckFailed):
        tls_check(receiver, "stranger-client")()


def test_a_receiver_that_is_down_is_not_ready(receiver: Receiver) -> None:
    with pytest.raises(CheckFailed, match="no connection"):
        tls_check(receiver, port=free_port())()


def test_a_receiver_under_another_name_is_not_ready(receiver: Receiver) -> None:
    with pytest.raises(CheckFailed, match="certificate_verify_failed"):
        tls_check(receiver, server_name="elsewhere.nhs.uk")()


def test_a_hanging_check_is_answered_in_time_and_not_piled_up() -> None:
    release, started = threading.Event(), []

    def hangs() -> None:
        started.append(1)
        release.wait(10)

    with served({"database": hangs}, seconds=0.2) as get:
        began = time.monotonic()
        for _ in range(3):
            assert get("/health/ready") == (
                503,
                {"status": "unavailable", "checks": {"database": "no answer in time"}},
            )
        assert time.monotonic() - began < 2
        assert len(started) == 1
        release.set()


def test_unknown_paths_are_not_found() -> None:
    with served({}) as get:
        assert get("/")[0] == 404
        assert get("/health/ready?x=1")[0] == 200
