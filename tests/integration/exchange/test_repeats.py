"""The same request id again (standard section 5): done, failed, still running, or left by a dead worker."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from bars_portal.exchange import inbound
from bars_portal.exchange.inbound import claim, lock_of
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.registry import Applied, MessageContext, Refusal, message_type
from bookings.models import Booking, Slot
from tests.factories.bookings import make_slot
from tests.integration.exchange.calling import (
    Receiver,
    cancelling,
    for_slot,
    fresh,
    hosted,
    outcome,
    state_of_the_world,
)
from tests.integration.exchange.test_failures import second_connection
from tests.unit.exchange_fhir.factory import APPOINTMENT, changed, put

DUPLICATE = (409, "REC_CONFLICT", "duplicate")
TOO_EARLY = (425, "REC_TOO_EARLY", "duplicate")
REUSED = (400, "REC_BAD_REQUEST", "invariant")


@pytest.mark.django_db
def test_after_success_it_is_a_duplicate(receiver: Receiver, slot: Slot) -> None:
    body, request_id = fresh(), str(uuid4())
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200
    before = state_of_the_world()
    assert outcome(receiver.send(body, X_Request_ID=request_id)) == DUPLICATE
    assert outcome(receiver.send(fresh(), X_Request_ID=request_id.upper())) == DUPLICATE
    assert state_of_the_world() == before
    kept = InboundMessage.objects.order_by("received_at").values_list("state", "status_code", "message_type")
    assert list(kept) == [
        ("accepted", 200, "booking-new"),
        *[("refused", 409, "booking-new")] * 2,
    ], "the first one stays the record; that it was repeated is on the log"


@pytest.mark.django_db
def test_after_failure_it_is_judged_afresh(receiver: Receiver, slot: Slot) -> None:
    body, request_id = fresh(), str(uuid4())
    Slot.objects.update(status="busy-unavailable")
    for _ in range(2):
        assert outcome(receiver.send(body, X_Request_ID=request_id)) == (409, "REC_CONFLICT", "conflict")
    Slot.objects.update(status="free")
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200
    assert outcome(receiver.send(body, X_Request_ID=request_id)) == DUPLICATE
    states = InboundMessage.objects.order_by("received_at").values_list("state", flat=True)
    assert list(states) == ["refused", "refused", "accepted", "refused"]


@pytest.mark.django_db
def test_a_content_fault_is_told_before_the_duplicate(receiver: Receiver, slot: Slot) -> None:
    request_id = str(uuid4())
    receiver.send(fresh(), X_Request_ID=request_id)
    broken = changed(fresh(), put(APPOINTMENT, "end", None))
    assert outcome(receiver.send(broken, X_Request_ID=request_id)) == (400, "REC_BAD_REQUEST", "required")
    assert outcome(receiver.post(b"{", X_Request_ID=request_id)) == (400, "REC_BAD_REQUEST", "invalid")


@pytest.mark.django_db
def test_a_bundle_id_is_used_once_by_new_messages(receiver: Receiver, slot: Slot) -> None:
    first = fresh()
    assert receiver.send(first).status_code == 200
    other = make_slot(schedule=slot.schedule, start=slot.end)
    again = {**for_slot(fresh(), other), "id": first["id"]}
    before = state_of_the_world()
    response = receiver.send(again)
    assert outcome(response) == REUSED
    assert json.loads(response.content)["issue"][0]["expression"] == ["Bundle.id"]
    assert state_of_the_world() == before
    cancel = {**cancelling(), "id": first["id"]}
    assert receiver.send(cancel).status_code == 200, "a cancel may keep it"
    assert receiver.send({**again, "id": str(uuid4())}).status_code == 200


@pytest.mark.django_db
def test_the_bundle_id_of_a_refused_message_is_free(receiver: Receiver, slot: Slot) -> None:
    body = fresh()
    Slot.objects.update(status="busy-unavailable")
    receiver.send(body)
    Slot.objects.update(status="free")
    assert receiver.send(body).status_code == 200


@pytest.mark.django_db
def test_a_correlation_id_names_a_conversation(receiver: Receiver, slot: Slot) -> None:
    correlation_id = str(uuid4())
    assert receiver.send(fresh(), X_Correlation_ID=correlation_id).status_code == 200
    assert receiver.send(cancelling(), X_Correlation_ID=correlation_id).status_code == 200


@contextmanager
def stuck_in_apply(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """New bookings wait inside their transaction: (one has got there, let it go on)."""
    there, go_on = Event(), Event()
    kind = message_type("booking-new")
    apply = kind.apply

    def waiting(parsed: Any, context: MessageContext) -> Applied | Refusal:
        there.set()
        assert go_on.wait(10)
        return apply(parsed, context)

    monkeypatch.setattr(kind, "apply", waiting)
    try:
        yield there, go_on
    finally:
        go_on.set()


def in_thread(call: Any) -> Any:
    try:
        return call()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_while_the_first_one_runs_it_is_too_early(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    with ThreadPoolExecutor(1) as pool, stuck_in_apply(monkeypatch) as (there, go_on):
        other = Receiver(Client(raise_request_exception=False))
        first = pool.submit(in_thread, lambda: other.send(body, X_Request_ID=request_id))
        assert there.wait(10)
        before = state_of_the_world()
        for _ in range(2):
            assert outcome(receiver.send(body, X_Request_ID=request_id)) == TOO_EARLY
        assert state_of_the_world() == before
        go_on.set()
        assert first.result(timeout=10).status_code == 200
    assert outcome(receiver.send(body, X_Request_ID=request_id)) == DUPLICATE
    answered = InboundMessage.objects.order_by("received_at").values_list("status_code", flat=True)
    assert list(answered) == [200, 425, 425, 409]
    assert Booking.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_whose_worker_died_is_taken_over_at_once(receiver: Receiver) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    with second_connection() as worker:
        worker.execute("BEGIN")
        worker.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(UUID(request_id))])
        assert outcome(receiver.send(body, X_Request_ID=request_id)) == TOO_EARLY
        with connection.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", [worker.info.backend_pid])
        worker.close()
        assert receiver.send(body, X_Request_ID=request_id).status_code == 200
    states = InboundMessage.objects.filter(request_id=UUID(request_id)).values_list("state", "status_code")
    assert sorted(states) == [("accepted", 200), ("refused", 425)]


@pytest.mark.django_db(transaction=True)
def test_what_was_accepted_at_the_same_moment_is_a_duplicate(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one commits and lets go between our look at the table and our try for its lock."""
    hosted()
    body, request_id = fresh(), str(uuid4())
    assert receiver.send(body, X_Request_ID=request_id).status_code == 200
    before, looks = state_of_the_world(), []

    def saw_nothing_at_first(*args: Any) -> bool:
        looks.append(args)
        return len(looks) == 1 or claim(*args)

    monkeypatch.setattr(inbound, "claim", saw_nothing_at_first)
    # As of a type that writes nothing unique of its own.
    nothing = Applied(focus=("urn:x", {}), answer={"resourceType": "Bundle"})
    monkeypatch.setattr(message_type("booking-new"), "apply", lambda parsed, context: nothing)
    assert outcome(receiver.send(fresh(), X_Request_ID=request_id)) == DUPLICATE
    assert len(looks) == 2
    assert state_of_the_world() == before


def all_at_once(calls: list[Any]) -> list[HttpResponse]:
    start = Barrier(len(calls))

    def one(call: Any) -> HttpResponse:
        start.wait(timeout=10)
        return in_thread(call)  # type: ignore[no-any-return]  # a response

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def posting(body: dict[str, Any], **changes: Any) -> Any:
    return lambda: Receiver(Client(raise_request_exception=False)).send(body, **changes)


@pytest.mark.django_db(transaction=True)
def test_sixteen_times_the_same_message_at_once_is_one_booking(receiver: Receiver) -> None:
    hosted()
    body, request_id = fresh(), str(uuid4())
    answers = all_at_once([posting(body, X_Request_ID=request_id) for _ in range(16)])
    seen = Counter(200 if each.status_code == 200 else outcome(each) for each in answers)
    assert seen[200] == 1
    assert set(seen) <= {200, DUPLICATE, TOO_EARLY}
    assert Booking.objects.count() == 1
    assert InboundMessage.objects.filter(state=InboundState.ACCEPTED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_bundle_id_in_many_requests_at_once_is_used_once(receiver: Receiver) -> None:
    slot = hosted()
    bundle_id = str(uuid4())
    starts = [slot.start + timedelta(minutes=15 * number) for number in range(1, 6)]
    slots = [slot, *(make_slot(schedule=slot.schedule, start=start) for start in starts)]
    bodies = [{**for_slot(fresh(), each), "id": bundle_id} for each in slots]
    answers = all_at_once([posting(body) for body in bodies])
    seen = Counter(200 if each.status_code == 200 else outcome(each) for each in answers)
    assert seen == {200: 1, REUSED: len(slots) - 1}
    assert Booking.objects.count() == 1
    assert Slot.objects.filter(status="busy").count() == 1
