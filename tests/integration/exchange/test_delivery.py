"""Sending over a real socket: each way that it can end, and that a retry is the very same message."""

import logging
from datetime import timedelta
from threading import Barrier, Event, Thread
from time import perf_counter
from uuid import uuid4

import pytest
from celery import Celery
from django.db import connection, transaction

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange import delivery, settlement, tasks
from bars_portal.exchange.models import DeliveryAttempt, DeliveryState, OutboundMessage
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.exchange.waiting import LEASE
from tests.integration.exchange.partner import (
    ACCEPTED_BODY,
    Desk,
    echoing,
    outcome_body,
    refusing,
)
from tests.unit.exchange_transport.servers import Step, raw, reply, silence

pytestmark = pytest.mark.django_db(transaction=True)


def test_accepted(desk: Desk) -> None:
    desk.server.script(echoing())
    message = desk.enqueue()
    assert desk.deliver(message) == message.state == DeliveryState.ACCEPTED
    (outcome,) = desk.probe.outcomes
    assert (outcome.delivery, outcome.reply is not None) == (Delivery.ACCEPTED, True)
    (attempt,) = message.attempts.all()
    assert (attempt.number, attempt.status_code, attempt.outcome) == (1, 200, "accepted")
    assert bytes(attempt.reply or b"") == ACCEPTED_BODY
    assert attempt.finished_at is not None
    assert attempt.finished_at > attempt.started_at
    event = AuditEvent.objects.get(action="exchange.deliver_message")
    assert (event.outcome, event.actor_label) == ("accepted", "Chris Linnell")
    assert event.correlation_id == message.correlation_id
    assert desk.tokens.asked == 1


def test_what_goes_out_is_what_was_written(desk: Desk) -> None:
    desk.server.script(echoing())
    message = desk.enqueue()
    desk.deliver(message)
    (received,) = desk.server.received
    assert (received.method, received.target) == ("POST", "/$process-message")
    assert received.body == bytes(message.body)
    assert received.headers["x-request-id"] == str(message.request_id)
    assert received.headers["x-correlation-id"] == str(message.correlation_id)
    assert received.headers["authorization"] == "Bearer a-secret-token"
    for name, value in message.headers.items():
        assert received.headers[name.lower()] == value


def test_no_credentials_are_kept(desk: Desk) -> None:
    desk.server.script(echoing())
    message = desk.enqueue()
    desk.deliver(message)
    attempt = message.attempts.get()
    assert "a-secret-token" not in f"{message.headers} {attempt.reply_headers}"
    assert {name.lower() for name in attempt.reply_headers} >= {"x-request-id", "content-length"}


@pytest.mark.parametrize(
    ("status", "code", "issue", "reason"),
    [
        (400, "REC_BAD_REQUEST", "invariant", "bad-request"),
        (401, "REC_UNAUTHORIZED", "forbidden", "unauthorized"),
        (404, "PROXY_NOT_FOUND", "not-found", "not-found"),
        (409, "REC_CONFLICT", "conflict", "conflict"),
        (422, "REC_UNPROCESSABLE_ENTITY", "processing", "unprocessable-entity"),
        (501, "REC_NOT_IMPLEMENTED", "not-supported", "not-implemented"),
    ],
)
def test_refused(desk: Desk, status: int, code: str, issue: str, reason: str) -> None:
    desk.server.script(refusing(status, code, issue))
    message = desk.enqueue()
    assert desk.deliver(message) == DeliveryState.REFUSED
    assert message.reason == desk.probe.outcomes[0].reason == reason
    assert desk.probe.outcomes[0].issues[0].code == code
    attempt = message.attempts.get()
    assert (attempt.status_code, bytes(attempt.reply or b"")) == (status, outcome_body(code, issue))
    assert delivery.queue_again(message) is False, "final"
    assert desk.deliver(message) is None


NEVER = Event()
UNCLEAR: list[tuple[Step, str]] = [
    (silence(NEVER), "timeout"),
    (raw(b""), "cut"),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf"), "cut"),
    (raw(b"nonsense\r\n\r\n"), "garbled"),
    (refusing(408, "REC_TIMEOUT", "timeout"), "timeout"),
    (refusing(425, "REC_TOO_EARLY", "duplicate"), "too-early"),
    (refusing(429, "SEND_TOO_MANY_REQUESTS", "throttled"), "throttled"),
    (refusing(503, "REC_SERVICE_UNAVAILABLE", "transient"), "unavailable"),
    (refusing(504, "PROXY_TIMEOUT"), "timeout"),
    (refusing(403, "SEND_FORBIDDEN", "forbidden"), "forbidden"),
    (refusing(401, "SEND_UNAUTHORIZED", "security"), "unauthorised"),
    (reply(200, ACCEPTED_BODY), "ids-not-echoed"),
    (reply(500, b"<html>"), "no-outcome"),
    (echoing(200, b"{}"), "unreadable-reply"),
    (echoing(200, b"["), "unreadable-reply"),
]


@pytest.mark.parametrize(("step", "reason"), UNCLEAR)
def test_unknown_and_then_the_very_same_again(desk: Desk, step: Step, reason: str) -> None:
    message = desk.enqueue()
    desk.server.script(step)
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    assert (message.reason, desk.probe.outcomes[0].reason) == (reason, reason)
    desk.server.script(echoing())
    assert delivery.queue_again(message) is True
    assert delivery.queue_again(message) is False
    assert desk.deliver(message) == DeliveryState.ACCEPTED
    assert [each.number for each in message.attempts.all()] == [1, 2]
    first, *others = desk.server.received
    for other in others:
        assert other.body == first.body
        assert other.headers == first.headers
    NEVER.clear()


def test_nothing_listens(desk: Desk) -> None:
    desk.base_url = "http://127.0.0.1:9/FHIR/R4"
    message = desk.enqueue()
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    assert message.reason == "not-sent"
    attempt = message.attempts.get()
    assert (attempt.status_code, attempt.reply, attempt.reply_headers) == (None, None, {})


def test_two_workers_and_one_message(desk: Desk) -> None:
    desk.server.script(echoing())
    message = desk.enqueue()
    start, states = Barrier(4), []

    def work() -> None:
        try:
            with desk.client() as client:
                start.wait(timeout=10)
                states.append(delivery.deliver(message.pk, client=client, clock=desk.clock))
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(map(str, states)) == ["None", "None", "None", "accepted"]
    assert len(desk.server.received) == DeliveryAttempt.objects.count() == len(desk.probe.outcomes) == 1


def test_a_message_that_is_not_there(desk: Desk) -> None:
    with desk.client() as client:
        assert delivery.deliver(uuid4(), client=client, clock=desk.clock) is None
    assert desk.server.received == []


def claim(desk: Desk, message: OutboundMessage) -> DeliveryAttempt:
    attempt = delivery._claim(message.pk, now=desk.clock())
    assert attempt is not None
    return attempt


def sweep(desk: Desk) -> list[DeliveryState | None]:
    found = settlement.stale_messages(now=desk.now)
    return [settlement.settle_lost(each, now=desk.now) for each in found]


def test_a_worker_that_died_leaves_an_unknown_message(desk: Desk) -> None:
    message = desk.enqueue()
    claim(desk, message)
    assert sweep(desk) == [], "it may still be sending"
    desk.now += LEASE + timedelta(seconds=1)
    assert sweep(desk) == [DeliveryState.UNKNOWN]
    message.refresh_from_db()
    assert (message.state, message.reason) == (DeliveryState.UNKNOWN, "worker-lost")
    assert message.attempts.get().outcome == "unknown"
    assert sweep(desk) == []
    desk.server.script(echoing())
    delivery.queue_again(message)
    assert desk.deliver(message) == DeliveryState.ACCEPTED


def test_a_worker_that_comes_back_late_changes_nothing(desk: Desk) -> None:
    """Its message was named unknown and is being sent again: only the second attempt may settle it."""
    message = desk.enqueue()
    desk.server.script(echoing())
    with desk.client() as client:
        first = claim(desk, message)
        late = delivery._send(first.message, client, now=desk.clock())
        desk.now += LEASE * 2
        sweep(desk)
        message.refresh_from_db()
        delivery.queue_again(message)
        second = claim(desk, message)
        outcome = delivery._outcome(first, late, client, now=desk.now)
        assert settlement.settle(first, late, outcome, now=desk.clock()) is None
    message.refresh_from_db()
    assert message.state == DeliveryState.SENDING, "the second attempt is under way"
    assert [each.reason for each in desk.probe.outcomes] == ["worker-lost"]
    first.refresh_from_db()
    assert bytes(first.reply or b"") == ACCEPTED_BODY, "what came back is kept all the same"
    state = settlement.settle(second, late, outcome, now=desk.clock())
    assert state == DeliveryState.ACCEPTED


def test_the_sweep_does_not_spoil_what_was_settled_meanwhile(desk: Desk) -> None:
    desk.server.script(echoing())
    message = desk.enqueue()
    desk.deliver(message)
    assert settlement.settle_lost(message.pk, now=desk.now + LEASE * 2) is None
    attempt = message.attempts.get()
    assert (attempt.outcome, bytes(attempt.reply or b"")) == ("accepted", ACCEPTED_BODY)


def test_a_reply_that_cannot_be_handled_is_rolled_back_and_later_unknown(desk: Desk) -> None:
    message = desk.enqueue()
    desk.server.script(echoing())
    desk.probe.failure = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        desk.deliver(message)
    message.refresh_from_db()
    desk.subject.refresh_from_db()
    attempt = message.attempts.get()
    assert (message.state, desk.subject.phone, attempt.finished_at) == (DeliveryState.SENDING, "", None)
    assert not AuditEvent.objects.filter(action="exchange.deliver_message").exists()
    desk.probe.failure = None
    desk.now += LEASE + timedelta(seconds=1)
    assert sweep(desk) == [DeliveryState.UNKNOWN]
    desk.subject.refresh_from_db()
    assert desk.subject.phone == "worker-lost"


def test_a_message_is_announced_when_its_transaction_commits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tasks.deliver_message, "delay", asked.append)
    with transaction.atomic():
        message = desk.enqueue()
        assert asked == []
    assert asked == [str(message.pk)]
    with pytest.raises(RuntimeError), transaction.atomic():
        desk.enqueue()
        raise RuntimeError("rolled back")
    assert len(asked) == OutboundMessage.objects.count() == 1


def _ignored(message_id: str) -> None:
    """A task that is never run."""


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "amqp://127.0.0.1:9//"])
def test_a_broker_that_is_down_costs_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    """With the options that settings.celery gives to a server."""
    elsewhere = Celery("elsewhere", broker=url, set_as_current=False)
    elsewhere.conf.broker_transport_options = {"max_retries": 0}
    elsewhere.conf.task_publish_retry = False
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "deliver_message", elsewhere.task(_ignored))
        started = perf_counter()
        message = desk.enqueue()
        assert perf_counter() - started < 2
    message.refresh_from_db()
    assert message.state == DeliveryState.QUEUED
    (line,) = [each for each in caplog.records if each.name == "bars_portal.exchange.tasks"]
    assert line.levelno == logging.WARNING
    assert str(message.pk) in line.getMessage()
