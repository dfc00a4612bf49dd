"""Sending: a call with a kept token against raw httpx; 32 threads when it is over; 20 services searched.

The other side is one server, a program of its own (quick_app.py), that answers at once.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from time import perf_counter
from typing import TYPE_CHECKING

import httpx
from calling import headers
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pairs import compare, finish, holds, say
from quick_app import HANGING
from servers import BENCHMARKS, free_port, running
from stage import ROOT, bodies, prepare

if TYPE_CHECKING:
    from directory.models import HealthcareService

CALL_BOUND, SEARCH_BOUND = 1.3, 1.5
PAIRS, REPEATS = 11, 200
THREADS, SERVICES, SEARCHES = 32, 20, 5
_KEY_ID = "Bench-INT-1"


@contextmanager
def other_side() -> Iterator[str]:
    """Its address."""
    with TemporaryDirectory(prefix="bars-bench-sender-") as name:
        port = free_port()
        options = [
            "--worker-class",
            "gthread",
            "--threads",
            "64",
            "--keep-alive",
            "75",
            "--no-control-socket",
        ]
        command = [sys.executable, "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}"]
        variables = {"PYTHONPATH": f"{BENCHMARKS}:{ROOT}"}
        with running([*command, "quick_app:application"], variables, port, Path(name), None):
            yield f"http://127.0.0.1:{port}"


def set_up(url: str, folder: Path) -> None:
    """Our client speaks to it, with a key of its own."""
    from django.conf import settings

    file = folder / "key.pem"
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    named = {"API_KEY": "bench", "KEY_ID": _KEY_ID, "PRIVATE_KEY_FILE": str(file)}
    ours = {"ODS_CODE": "Y00111", "ORGANISATION_NAME": "Benchmark", "SERVICE_ID": "2000099090"}
    where = {"ENVIRONMENT": "simulator", "BASE_URL": url, "TOKEN_URL": f"{url}/oauth2/token"}
    settings.BARS = {**settings.BARS, **named, **ours, **where}


class Nowhere(io.TextIOBase):
    """What a line costs counts, and nobody wants to read so many."""

    def write(self, text: str) -> int:
        return len(text)


def log_into_nothing() -> None:
    for handler in logging.root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(Nowhere())


def calls(url: str) -> bool:
    from bars_portal.exchange.gateway.client import get_client

    client, body, sent = get_client(), bodies(1)[0], headers()
    complete = {**sent, "Content-Type": "application/fhir+json", "Authorization": "Bearer token"}
    with httpx.Client(trust_env=False) as raw:

        def product() -> None:
            assert client.post("/$process-message", body=body, headers=sent).status == 200

        def floor() -> None:
            assert raw.post(f"{url}/$process-message", content=body, headers=complete).status_code == 200

        return compare(
            "A message sent with a kept token against raw httpx, 24 KB there and 20 KB back",
            product,
            floor,
            bound=CALL_BOUND,
            pairs=PAIRS,
            repeats=REPEATS,
        )


def tokens(url: str) -> bool:
    """Many threads find that the token is over, at the same moment."""
    from django.conf import settings
    from django.db import connection

    from bars_portal.exchange.gateway.client import get_client
    from bars_portal.exchange.gateway.tokens import DatabaseTokenSource
    from bars_portal.exchange.models import AccessToken

    source = get_client()._tokens_of(settings.BARS["ODS_CODE"])
    assert isinstance(source, DatabaseTokenSource)
    later, barrier = datetime.now(UTC) + timedelta(minutes=9, seconds=30), Barrier(THREADS)
    before, row = asked_for(url), AccessToken.objects.get()
    assert row.expires_at is not None and row.expires_at - timedelta(minutes=1) < later

    def ask(_: int) -> float:
        try:
            barrier.wait()
            began = perf_counter()
            source.get(now=later)
            return perf_counter() - began
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        slowest = max(threads.map(ask, range(THREADS)))
    made = asked_for(url) - before
    say(f"{THREADS} threads when the token is over: {made} asked for, the slowest waited {slowest:.2f} s")
    return made == 1


def asked_for(url: str) -> int:
    return int(httpx.get(f"{url}/tokens", trust_env=False).text)


def searches() -> bool:
    """One of them hangs: when the last healthy one is there, to the slowest of them when asked alone."""
    from bars_portal.exchange.gateway.client import own_organisation
    from bars_portal.exchange.gateway.senders import own_software
    from bars_portal.exchange.models import PartnerCircuit
    from bookings.slots import compare_services
    from directory.remote import SenderIdentity
    from tests.factories.accounts import make_acting
    from tests.factories.directory import make_service

    numbers = [*(f"20000888{each:02d}" for each in range(SERVICES - 1)), HANGING]
    services = [make_service(service_id=each, takes_bookings=True) for each in numbers]
    sender = SenderIdentity(own_organisation(), make_acting().actor, own_software())

    def search(asked: list[HealthcareService]) -> list[float]:
        """When each of the healthy was there."""
        from bars_portal.exchange.gateway.client import _process, get_client

        began, times = perf_counter(), list[float]()
        now = datetime.now(UTC)
        client = get_client().within(2.0, gate=_process.gate)
        for service, found in compare_services(
            client,
            services=asked,
            start=now,
            end=now + timedelta(days=3),
            sender=sender,
            now=now,
            seconds=2.0,
        ):
            if service.service_id != HANGING:
                assert found.problem is not None and found.problem.value == "none-in-range", found.problem
                times.append(perf_counter() - began)
        PartnerCircuit.objects.all().delete()
        assert len(times) == len([each for each in asked if each is not services[-1]])
        return times

    search(list(services))
    ratios = []
    for _ in range(SEARCHES):
        alone = max(search([each])[0] for each in services[:3])
        ratios.append(max(search(list(services))) / alone)
    say(f"{SERVICES} services searched at once, one hangs: the other {SERVICES - 1} to the slowest alone")
    return holds("ratio", ratios, bound=SEARCH_BOUND)


def main() -> None:
    with prepare(durable=False), other_side() as url, TemporaryDirectory() as folder:
        set_up(url, Path(folder))
        log_into_nothing()
        finish(calls(url), tokens(url), searches())


if __name__ == "__main__":
    main()
