"""When we fail: too slow, no database, a bug. Nothing stays half-written; the retry gets what it deserves."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.registry import message_type
from bookings.models import Booking, Slot
from tests.integration.exchange.calling import (
    Receiver,
    cancelling,
    fresh,
    hosted,
    outcome,
    state_of_the_world,
)

TIMEOUT = (408, "REC_TIMEOUT", "timeout")
UNAVAILABLE = (503, "REC_SERVICE_UNAVAILABLE", "transient")
VALUES = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123")


@contextmanager
def second_connection() -> Iterator[psycopg.Connection[Any]]:
    """Another session on the tests' database."""
    parameters = connection.get_connection_params()
    own = {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port")
        if name in parameters
    }
    with psycopg.connect(**own, autocommit=True) as other:
        yield other


@contextmanager
def slots_locked() -> Iterator[None]:
    with second_connection() as other, other.transaction():
        other.execute("SELECT 1 FROM bookings_slot FOR UPDATE")
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_what_takes_too_long_is_given_up(receiver: Receiver, limit: str) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    before = state_of_the_world()
    with connection.cursor() as cursor:
        cursor.execute(f"SET {limit} = 150")
    with slots_locked():
        response = receiver.send(body, X_Request_ID=request_id)
    assert outcome(response) == TIMEOUT
    assert response.headers["X-Request-ID"] == request_id
    assert state_of_the_world() == before
    stored = InboundMessage.objects.get()
    assert (stored.state, stored.status_code) == (InboundState.REFUSED, 408)
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_in_the_middle(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    before = state_of_the_world()
    kind = message_type("booking-new")
    apply = kind.apply

    def cut(parsed: Any, context: Any) -> Any:
        applied = apply(parsed, context)
        with second_connection() as other, connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
        return applied

    with monkeypatch.context() as patch:
        patch.setattr(kind, "apply", cut)
        assert outcome(receiver.send(body, X_Request_ID=request_id)) == UNAVAILABLE
    connection.close()
    assert state_of_the_world() == before
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_nobody_heard_of(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been accepted: we say that we failed, and the repeat learns what is true."""
    hosted()
    body, request_id = fresh(), str(uuid4())
    commit = connection.commit

    def unheard() -> None:
        monkeypatch.undo()
        commit()
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(connection, "_commit", unheard)
    assert outcome(receiver.send(body, X_Request_ID=request_id)) == UNAVAILABLE
    assert outcome(receiver.send(body, X_Request_ID=request_id)) == (409, "REC_CONFLICT", "duplicate")
    states = InboundMessage.objects.order_by("received_at").values_list("state", "status_code")
    assert list(states) == [("accepted", 200), ("refused", 503), ("refused", 409)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/metadata", "/Appointment/11111111-1111-4111-8111-111111111111"])
def test_no_database_at_all(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    hosted()
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        patch.setitem(connection.settings_dict, "OPTIONS", {})
        posted, read = receiver.send(fresh()), receiver.get(path)
    assert outcome(posted) == outcome(read) == UNAVAILABLE
    assert read.headers["X-Request-ID"] == receiver.sent["X-Request-ID"]
    connection.close()
    assert receiver.send(fresh()).status_code == 200


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.django_db
@pytest.mark.parametrize("error", [ValueError, KeyError, AssertionError])
def test_a_bug_is_our_fault_and_names_nobody(
    receiver: Receiver,
    slot: Slot,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    body, request_id = fresh(), str(uuid4())
    before = state_of_the_world()
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(message_type("booking-new"), "apply", raising(error(f"row of {' '.join(VALUES)}")))
        response = receiver.send(body, X_Request_ID=request_id)
    assert outcome(response) == (500, "REC_SERVER_ERROR", "exception")
    assert state_of_the_world() == before
    stored = InboundMessage.objects.get()
    assert (stored.state, stored.status_code) == (InboundState.REFUSED, 500)
    assert f"builtins.{error.__name__} at fail:" in caplog.text
    for value in VALUES:
        assert value not in caplog.text
        assert value not in response.content.decode()
    assert AuditEvent.objects.filter(outcome="refused", detail__code__startswith="500").exists()
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200, "the claim was given back"


# Every step of taking a booking, in order; the fault comes right after the step has done its work.
STEPS = [
    "bookings.services.receiving._take_slot",
    "bookings.services.receiving.open_journey",
    "bookings.services.receiving.create_patient",
    "bookings.services.receiving._set_resources",
    "bookings.services.receiving.start_history",
    "bookings.messages.receive_booking",
    "bars_portal.exchange.inbound._context",
    "bars_portal.exchange.inbound._apply",
]
CANCEL_STEPS = [
    "bookings.services.receiving._check_as_booked",
    "bookings.services.receiving.change_status",
    "bookings.messages.receive_end",
    "bars_portal.exchange.inbound._apply",
]
ERRORS: list[tuple[Exception, tuple[int, str, str]]] = [
    (fault(OutcomeCode.UNPROCESSABLE, "No."), (422, "REC_UNPROCESSABLE_ENTITY", "processing")),
    (DataError("value too long: Zebedee"), (500, "REC_SERVER_ERROR", "no-store")),
    (IntegrityError("Failing row contains (Zebedee)"), (500, "REC_SERVER_ERROR", "no-store")),
    (RuntimeError("Zebedee"), (500, "REC_SERVER_ERROR", "exception")),
]


def break_after(patch: pytest.MonkeyPatch, step: str, error: Exception) -> None:
    module, name = step.rsplit(".", 1)
    owner = import_module(module)
    work = getattr(owner, name)

    def then_fail(*args: Any, **kwargs: Any) -> Any:
        work(*args, **kwargs)
        raise error

    patch.setattr(owner, name, then_fail)


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "expected"), ERRORS)
@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_half_booked(
    receiver: Receiver,
    slot: Slot,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: Exception,
    expected: tuple[int, str, str],
) -> None:
    body, request_id = fresh(), str(uuid4())
    before = state_of_the_world()
    with monkeypatch.context() as patch:
        break_after(patch, step, error)
        response = receiver.send(body, X_Request_ID=request_id)
    assert outcome(response) == expected
    assert b"Zebedee" not in response.content
    assert state_of_the_world() == before
    assert not AuditEvent.objects.exclude(action="exchange.receive_message").exists()
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("step", CANCEL_STEPS)
def test_nothing_is_half_cancelled(
    receiver: Receiver, slot: Slot, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    receiver.send(fresh())
    body, before = cancelling(), state_of_the_world()
    with monkeypatch.context() as patch:
        break_after(patch, step, fault(OutcomeCode.CONFLICT, "No."))
        assert outcome(receiver.send(body)) == (409, "REC_CONFLICT", "conflict")
    assert state_of_the_world() == before
    assert receiver.send(body).status_code == 200
    assert Booking.objects.get().status == "cancelled"
