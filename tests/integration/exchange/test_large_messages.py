"""A database connection that carried a large message is replaced: it would keep buffers of that size."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from bars_portal.exchange.receiver.warming import LARGE_BYTES, spare
from bookings.models import Slot
from tests.integration.exchange.calling import FHIR, Receiver, fresh, outcome
from tests.unit.exchange_fhir.factory import booking

TOO_MUCH = "x" * (LARGE_BYTES + 1)


@pytest.fixture
def pooled(db: None) -> Iterator[DatabaseWrapper]:
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 1, "max_size": 1}}
    made = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias="large messages")
    yield made
    made.close()
    made.close_pool()


def backend(pooled: DatabaseWrapper, carried: int) -> int:
    """The process at the other end; the connection goes back to its pool."""
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    spare(pooled, carried)
    pooled.close()
    return int(pid)


def test_a_small_message_leaves_the_connection(pooled: DatabaseWrapper) -> None:
    assert backend(pooled, 100) == backend(pooled, LARGE_BYTES) == backend(pooled, 0)


def test_a_large_one_has_it_replaced(pooled: DatabaseWrapper) -> None:
    first = backend(pooled, LARGE_BYTES + 1)
    assert backend(pooled, 0) != first


def test_nothing_to_spare() -> None:
    spare(DatabaseWrapper({}, alias="never opened"), LARGE_BYTES + 1)


BODIES: dict[str, tuple[bytes, dict[str, str], bool]] = {
    "usual": (json.dumps(fresh()).encode(), {}, False),
    "large": (json.dumps(booking() | {"id": TOO_MUCH}).encode(), {}, True),
    "inflated": (
        gzip.compress(json.dumps(booking() | {"id": TOO_MUCH}).encode()),
        {"Content_Encoding": "gzip"},
        True,
    ),
    "refused unread": (TOO_MUCH.encode(), {"content_type": "text/plain"}, True),
}


@pytest.mark.parametrize("name", BODIES)
def test_the_receiver_says_so(name: str, receiver: Receiver, slot: Slot) -> None:
    body, changes, large = BODIES[name]
    connection.connection._expire_at = 1.0
    receiver.post(body, **changes)
    assert (connection.connection._expire_at == 0) == large


MANY: dict[str, tuple[bytes, str]] = {
    "objects": (json.dumps(booking() | {"entry": [{}] * 100_001}).encode(), FHIR),
    "lists": (b'{"resourceType":"Bundle","entry":[' + b"[]," * 100_000 + b"[]]}", FHIR),
    "tags": (
        b'<Bundle xmlns="http://hl7.org/fhir">' + b"<x/>" * 250_000 + b"</Bundle>",
        "application/fhir+xml",
    ),
}


@pytest.mark.parametrize("name", MANY)
def test_too_many_parts_are_refused_unparsed(name: str, receiver: Receiver, slot: Slot) -> None:
    body, content_type = MANY[name]
    answer = receiver.post(body, content_type)
    assert outcome(answer) == (400, "REC_BAD_REQUEST", "invalid")
    assert "more objects, lists or tags" in answer.content.decode()


def test_many_slots_are_no_large_message(receiver: Receiver, slot: Slot) -> None:
    """They come in pieces: replacing the connection would cost more than the search."""
    at, second = slot.end + timedelta(minutes=5), timedelta(seconds=1)
    Slot.objects.bulk_create(
        Slot(schedule=slot.schedule, service=slot.service, start=start, end=start + second, updated_at=at)
        for start in (at + number * second for number in range(700))
    )
    connection.connection._expire_at = 1.0
    starts = [("start", f"ge{at.isoformat()}"), ("start", f"le{(at + timedelta(days=1)).isoformat()}")]
    includes = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")
    asked = [("Schedule.actor:HealthcareService", slot.service.service_id), ("status", "free"), *starts]
    answer = receiver.get("/Slot?" + urlencode([*asked, *(("_include", each) for each in includes)]))
    assert answer.status_code == 200
    assert len(answer.content) > LARGE_BYTES
    assert connection.connection._expire_at == 1.0
