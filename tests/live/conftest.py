"""Partners and people in front of the running stack, and a look into its database."""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from tests.fhir_check import assert_no_errors
from tests.live.partner import (
    EMERGENCY,
    FreeSlot,
    Partner,
    Resource,
    direct_client,
    fetch_token,
    mutual_tls,
    proxy_client,
)
from tests.live.people import Person, signed_in
from tests.stack import Stack

Query = Callable[..., list[tuple[Any, ...]]]
FhirCheck = Callable[[Sequence[Resource]], None]
TakeSlot = Callable[..., FreeSlot]
Say = Callable[[str], None]


@pytest.fixture(scope="session")
def direct(stack: Stack) -> Iterator[Partner]:
    """At the receiver itself, with the proxy's certificate."""
    with direct_client(stack, mutual_tls(stack)) as http:
        yield Partner(http)


@pytest.fixture(scope="session")
def proxied(stack: Stack) -> Iterator[Partner]:
    """Through the simulator's proxy, with a token."""
    with proxy_client(stack) as http:
        yield Partner(http, fetch_token(stack))


@pytest.fixture(scope="session")
def take_slot(direct: Partner) -> TakeSlot:
    """A free slot that no other test was given: take_slot(service)."""
    waiting: dict[str, list[FreeSlot]] = {}
    name, count = (
        os.environ.get("PYTEST_XDIST_WORKER", "gw0"),
        os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"),
    )

    def take(service: str = EMERGENCY) -> FreeSlot:
        if service not in waiting:
            # Far enough ahead that the pages' own tests, which take the nearest days, are not disturbed.
            start = datetime.now(UTC) + timedelta(days=8)
            found = direct.slots(service=service, start=start, end=start + timedelta(days=6))
            waiting[service] = found[int(name.removeprefix("gw")) :: int(count)]
        return waiting[service].pop()

    return take


@pytest.fixture(scope="session")
def query(stack: Stack) -> Iterator[Query]:
    """Rows of the stack's own database: query(sql, *values)."""
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as connection:

        def run(sql: str, *values: object) -> list[tuple[Any, ...]]:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture(scope="session")
def fhir_check(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> FhirCheck:
    """The published checker: fails with the errors that it finds. Skips where it is absent."""

    def check(resources: Sequence[Resource]) -> None:
        folder = tmp_path_factory.mktemp("check")
        for number, each in enumerate(resources):
            (folder / f"{number}.json").write_bytes(orjson.dumps(each))
        assert_no_errors(shared_dir, folder)

    return check


@pytest.fixture(scope="session")
def clinician(stack: Stack) -> Iterator[Person]:
    """At the sending organisation's pages."""
    with signed_in(stack) as person:
        yield person


@pytest.fixture
def say(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Say:
    """A line for whoever watches the run, captured or not: what was measured."""
    terminal = request.config.get_terminal_writer()

    def speak(words: str) -> None:
        with capfd.disabled():
            terminal.line(f"\n{words}")

    return speak
