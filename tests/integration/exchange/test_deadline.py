"""One deadline for a request: many quick statements that add up are given up too (standard section 5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from bars_portal.exchange.arrival import GRACE_SECONDS, Deadline, bounded
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.fhir.structure import warm
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.registry import message_type
from bookings.models import Booking
from tests.integration.exchange.calling import (
    Receiver,
    cancelling,
    fresh,
    headers,
    hosted,
    outcome,
    state_of_the_world,
)
from tests.integration.exchange.test_failures import TIMEOUT, UNAVAILABLE, second_connection

READS = ["/Appointment/{id}", "/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|9990548609"]
# Many tables of a message's way; each write sleeps, none as long as the deadline.
SLOW_TABLES = ("bookings_booking", "patients_patient", "patients_journey", "bookings_bookingstatuschange")
SLEEP, DEADLINE = 0.15, 0.4


@pytest.fixture(autouse=True, scope="module")
def warmed() -> None:
    """As every worker is before its first request."""
    warm()


@contextmanager
def slow_writes() -> Iterator[None]:
    """A database that is really slow: a trigger sleeps before each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp_slow() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_sleep({SLEEP}); RETURN NEW; END $$"
        )
        for table in SLOW_TABLES:
            cursor.execute(
                f"CREATE TRIGGER slow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp_slow()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION pg_temp_slow() CASCADE")


def session_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_many_slow_statements_are_given_up_together(receiver: Receiver, settings: Any) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    before, usual = state_of_the_world(), session_timeout()
    settings.DEADLINE_SECONDS = DEADLINE
    with slow_writes():
        begun = monotonic()
        response = receiver.send(body, X_Request_ID=request_id)
        took = monotonic() - begun
    assert outcome(response) == TIMEOUT
    assert response.headers["X-Request-ID"] == request_id
    assert took < DEADLINE + 0.5, "it was stopped, not awaited"
    assert state_of_the_world() == before
    stored = InboundMessage.objects.get()
    assert (stored.state, stored.status_code) == (InboundState.REFUSED, 408)
    assert session_timeout() == usual
    settings.DEADLINE_SECONDS = 30
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200, "judged afresh"


@pytest.mark.django_db(transaction=True)
def test_the_same_statements_within_the_deadline_are_taken(receiver: Receiver, settings: Any) -> None:
    """What the test above breaks is the deadline and nothing else."""
    hosted()
    settings.DEADLINE_SECONDS = 30
    with slow_writes():
        assert receiver.send(fresh()).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_waiting_for_a_lock_ends_with_the_deadline(receiver: Receiver, settings: Any) -> None:
    hosted()
    receiver.send(fresh())
    body, before = cancelling(), state_of_the_world()
    settings.DEADLINE_SECONDS = DEADLINE
    with second_connection() as other, other.transaction():
        other.execute("SELECT 1 FROM bookings_booking FOR UPDATE")
        begun = monotonic()
        assert outcome(receiver.send(body)) == TIMEOUT
        assert monotonic() - begun < DEADLINE + 0.5
    assert state_of_the_world() == before
    settings.DEADLINE_SECONDS = 30
    assert receiver.send(body).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["message", "unreadable", "read"])
def test_a_commit_that_waits_for_a_lock_ends_with_the_deadline(
    receiver: Receiver, settings: Any, way: str
) -> None:
    """Foreign keys are checked there, and PostgreSQL's `statement_timeout` is off by then."""
    hosted()
    assert receiver.get("/metadata").status_code == 200, "what only the first request pays for is paid"
    before = state_of_the_world()
    settings.DEADLINE_SECONDS = DEADLINE
    with second_connection() as other, other.transaction():
        other.execute("LOCK accounts_user IN ACCESS EXCLUSIVE MODE")
        begun = monotonic()
        answered = {
            "message": lambda: receiver.send(fresh()),
            "unreadable": lambda: receiver.send(fresh(), Accept="text/plain"),
            "read": lambda: receiver.get("/metadata"),
        }[way]()
        assert monotonic() - begun < DEADLINE + GRACE_SECONDS + 1.2, "not once more for each try to say so"
    assert answered.status_code in (406, 408)
    assert state_of_the_world() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("waited", [3.0, 10.0])
def test_the_wait_for_a_thread_counts(receiver: Receiver, settings: Any, waited: float) -> None:
    """Of many who wait behind a lock nobody has more time because he was let in late."""
    hosted()
    settings.DEADLINE_SECONDS = 4.0
    server: Any = {"gunicorn.socket": SimpleNamespace(whole_at=monotonic() - waited)}
    begun, late = monotonic(), waited > settings.DEADLINE_SECONDS
    answer = receiver.client.get("/FHIR/R4/metadata", headers=headers(), **server)
    assert (answer.status_code, monotonic() - begun < 1) == (408 if late else 200, True)


@pytest.mark.django_db(transaction=True)
def test_what_is_slow_without_the_database_is_not_kept(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time that passes in our own code counts: the look at the clock comes before the commit."""
    hosted()
    body, before = fresh(), state_of_the_world()
    kind = message_type("booking-new")
    work = kind.apply

    def slow(*args: Any) -> Any:
        done = work(*args)
        sleep(DEADLINE)
        return done

    settings.DEADLINE_SECONDS = DEADLINE
    with monkeypatch.context() as patch:
        patch.setattr(kind, "apply", slow)
        assert outcome(receiver.send(body)) == TIMEOUT
    assert state_of_the_world() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", READS, ids=["by-id", "by-patient"])
def test_a_read_is_given_up_too(receiver: Receiver, settings: Any, path: str) -> None:
    hosted()
    receiver.send(fresh())
    path, usual = path.format(id=Booking.objects.get().pk), session_timeout()
    settings.DEADLINE_SECONDS = DEADLINE
    with second_connection() as other, other.transaction():
        other.execute("LOCK bookings_booking IN ACCESS EXCLUSIVE MODE")
        begun = monotonic()
        assert outcome(receiver.get(path)) == TIMEOUT
        assert monotonic() - begun < DEADLINE + 0.5
    assert session_timeout() == usual
    settings.DEADLINE_SECONDS = 30
    assert receiver.get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_free(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that is used up is no reason to wait for long."""
    hosted()
    connection.close()
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 0, "max_size": 1, "timeout": 0.2}}
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "OPTIONS", options)
        patch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
        pool = connection.pool  # type: ignore[attr-defined]  # of the PostgreSQL backend
        pool.open()
        taken = pool.getconn()
        try:
            assert outcome(receiver.send(fresh())) == outcome(receiver.get("/metadata")) == UNAVAILABLE
        finally:
            pool.putconn(taken)
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined]  # the same
    assert receiver.send(fresh()).status_code == 200


@pytest.mark.django_db
def test_a_quick_request_pays_nothing_for_its_deadline(settings: Any) -> None:
    settings.STATEMENT_SECONDS = 3.5
    with bounded(Deadline.after(4)), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() != ("3500ms",), "nothing was set"
    with bounded(Deadline(at=3, clock=lambda: 1)), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("2s",)


def test_time_is_up() -> None:
    assert Deadline(at=10, clock=lambda: 7).left() == 3
    with pytest.raises(OutcomeError, match="too long"):
        Deadline(at=10, clock=lambda: 10).left()
