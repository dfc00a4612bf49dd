"""Every answer of the receiver within 5 s (standard section 5), whatever the database does."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from bars_portal.demo.processes import EmbeddedPostgres, start_embedded
from tests.fuzz.target import running_demo
from tests.live.conftest import Say
from tests.live.messages import own_booking
from tests.live.partner import EMERGENCY, Partner, direct_client, mutual_tls, new_ids, slot_params
from tests.processes import children_of
from tests.stack import Stack

MOST_SECONDS = 5.0
# More than there are threads, so that some wait for one.
AT_ONCE = 7
_ROLE = "bars_app"
Asking = Callable[[], httpx.Response]


@contextmanager
def partner_of(stack: Stack) -> Iterator[Partner]:
    with direct_client(stack, mutual_tls(stack)) as http:
        yield Partner(http)


def askings(partner: Partner) -> dict[str, Asking]:
    """A request of each kind; the booking's slot and the repeated message are made first."""
    start = datetime.now(UTC) + timedelta(days=9)
    slots = partner.slots(start=start, end=start + timedelta(days=2))
    booking, ids = own_booking(slots[0]), new_ids()
    booked = partner.post(booking, ids=ids)
    assert booked.status_code == 200, booked.text
    resources = [each["resource"] for each in booked.json()["entry"]]
    appointment = next(each["id"] for each in resources if each["resourceType"] == "Appointment")
    params = slot_params(EMERGENCY, start, start + timedelta(days=1), "free")
    number = [("patient:identifier", "https://fhir.nhs.uk/Id/nhs-number|9990548609")]
    return {
        "new booking": lambda: partner.post(own_booking(slots[1])),
        "repeated": lambda: partner.post(booking, ids=ids),
        "unreadable": lambda: partner.post(b"{"),
        "refused at the door": lambda: partner.post(booking, headers={"Accept": "text/plain"}),
        "Slot": lambda: partner.get("/Slot", params),
        "Appointment": lambda: partner.get(f"/Appointment/{appointment}"),
        "ServiceRequest": lambda: partner.get("/ServiceRequest", number),
        "metadata": lambda: partner.get("/metadata"),
        "MessageDefinition": lambda: partner.get("/MessageDefinition"),
    }


def slowest(asked: dict[str, Asking], *, at_once: int = AT_ONCE) -> tuple[float, str]:
    """Of so many of each kind, all at the same moment; seconds, and which it was. Each must be answered."""

    def timed(each: tuple[str, Asking]) -> tuple[float, str]:
        began = time.monotonic()
        answer = each[1]()
        return time.monotonic() - began, f"{each[0]} {answer.status_code}"

    crowd = [*asked.items()] * at_once
    with ThreadPoolExecutor(len(crowd)) as people:
        return max(people.map(timed, crowd))


def assert_in_time(what: str, asked: dict[str, Asking], say: Say, *, at_once: int = AT_ONCE) -> None:
    took, which = slowest(asked, at_once=at_once)
    say(f"{what}: slowest {took:.2f} s, {which}")
    assert took < MOST_SECONDS, (what, which)


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    with psycopg.connect(url) as other:
        other.execute(f"LOCK {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        other.rollback()


@contextmanager
def no_connections(url: str) -> Iterator[None]:
    """Those that are there end, and no other one is made: as when somebody else has taken all."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(f"ALTER ROLE {_ROLE} CONNECTION LIMIT 0")
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [_ROLE])
        try:
            yield
        finally:
            other.execute(f"ALTER ROLE {_ROLE} CONNECTION LIMIT -1")


@pytest.mark.further
@pytest.mark.alone
def test_while_the_trail_is_locked_and_while_no_connection_is_free(stack: Stack, say: Say) -> None:
    url = stack.launcher.database_url
    with partner_of(stack) as partner:
        asked = askings(partner)
        with locked(url, "audit_auditevent"):
            assert_in_time("trail locked", asked, say)
        with no_connections(url):
            assert_in_time("no connection", asked, say)
        assert asked["metadata"]().status_code == 200, "at once"


@contextmanager
def stopped(server: EmbeddedPostgres) -> Iterator[None]:
    pid = server.server.get_pid()
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    while server.server.get_postmaster_info().is_running():
        time.sleep(0.05)
    try:
        yield
    finally:
        server.server.ensure_postgres_running()


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    pid = server.server.get_pid()
    assert pid is not None
    everybody = [pid, *children_of(pid)]
    for each in everybody:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in everybody:
            os.kill(each, signal.SIGCONT)


@pytest.mark.thorough
def test_whatever_is_locked_and_with_a_database_that_is_stopped_or_frozen(tmp_path: Path, say: Say) -> None:
    server = start_embedded(tmp_path / "postgres")
    try:
        url, place = server.url("strained"), tmp_path / "demo"
        place.mkdir()
        with running_demo(place, url) as stack, partner_of(stack) as partner:
            asked = askings(partner)
            with psycopg.connect(url) as other:
                found = other.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                ).fetchall()
            for (table,) in found:
                with locked(url, table):
                    assert_in_time(f"{table} locked", asked, say, at_once=1)
            for what, trouble in (("stopped", stopped), ("frozen", frozen)):
                with trouble(server):
                    assert_in_time(f"database {what}", asked, say)
                began = time.monotonic()
                while asked["metadata"]().status_code != 200:
                    assert time.monotonic() < began + MOST_SECONDS
    finally:
        server.stop()
        shutil.rmtree(tmp_path, ignore_errors=True)
