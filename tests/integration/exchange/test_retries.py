"""Sending again by itself: when it is due, the very same message, once, and not for ever."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from bars_portal.audit.actor import Actor
from bars_portal.exchange import delivery, outbox, settlement
from bars_portal.exchange.models import OBSOLETE, DeliveryState, OutboundMessage
from bars_portal.exchange.selectors import given_up
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.exchange.waiting import LEASE
from tests.integration.bookings.loopback import due_messages
from tests.integration.exchange.partner import (
    Desk,
    echoing,
    outcome_body,
    refusing,
)
from tests.unit.exchange_transport.servers import Step, raw

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(hours=2)


@pytest.fixture
def desk(desk: Desk, settings: Any) -> Desk:
    settings.BARS_RETRY_SECONDS = (10, 100)
    return desk


def lost(desk: Desk, step: Step | None = None) -> OutboundMessage:
    message = desk.enqueue()
    desk.server.script(step or raw(b""))
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    return message


def seconds_until_next(message: OutboundMessage) -> float:
    assert message.next_attempt_at is not None
    assert message.settled_at is not None
    return (message.next_attempt_at - message.settled_at).total_seconds()


def test_due_and_then_the_very_same_again(desk: Desk) -> None:
    message = lost(desk)
    assert 8 <= seconds_until_next(message) <= 12
    assert due_messages(desk.now) == []
    assert desk.deliver(message) is None, "it is not due yet"
    desk.server.script(echoing())
    desk.now += LATER
    assert due_messages(desk.now) == [message.pk]
    assert desk.deliver(message) == DeliveryState.ACCEPTED
    first, second = desk.server.received
    assert (second.body, second.headers) == (first.body, first.headers)
    assert (message.repeats, message.next_attempt_at) == (1, None)
    assert [each.delivery for each in desk.probe.outcomes] == [Delivery.UNKNOWN, Delivery.ACCEPTED]
    assert due_messages(desk.now + LATER) == []


def test_a_duplicate_is_delivered(desk: Desk) -> None:
    message = lost(desk)
    desk.server.script(refusing(409, "REC_CONFLICT", "duplicate"))
    desk.now += LATER
    assert desk.deliver(message) == DeliveryState.ACCEPTED
    assert desk.probe.outcomes[-1].delivery is Delivery.DUPLICATE


def test_retry_after_is_honoured(desk: Desk) -> None:
    body = outcome_body("REC_TOO_MANY_REQUESTS", "throttled")
    message = lost(desk, echoing(429, body, lambda headers: headers.update({"Retry-After": "1800"})))
    assert 1799 <= seconds_until_next(message) <= 1801


def test_a_refusal_is_final(desk: Desk) -> None:
    message = desk.enqueue()
    desk.server.script(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    assert desk.deliver(message) == DeliveryState.REFUSED
    assert message.next_attempt_at is None


def test_after_the_last_attempt_a_person_is_told(desk: Desk) -> None:
    message = lost(desk)
    states = []
    for _ in range(4):
        desk.now += LATER
        states.append(desk.deliver(message))
    assert states == [DeliveryState.UNKNOWN, DeliveryState.ABANDONED, None, None]
    assert message.attempts.count() == 3
    # The first loss, which goes on by itself, and the last one, which does not; none between.
    assert [each.next_attempt_at is None for each in desk.probe.outcomes] == [False, True]
    assert list(given_up(desk.subject.pk, now=desk.now)) == [message]
    assert outbox.trying(desk.subject).given_up
    assert outbox.waiting_for_check(desk.subject) == outbox.unsettled(desk.subject) == message
    assert delivery.queue_again(message) is True
    assert list(given_up(desk.subject.pk, now=desk.now)) == []
    desk.server.script(echoing())
    assert desk.deliver(message) == DeliveryState.ACCEPTED


def test_who_checks_again_begins_anew(desk: Desk) -> None:
    message = lost(desk)
    desk.now += LATER
    desk.deliver(message)
    assert message.repeats == 1
    delivery.queue_again(message)
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    assert (message.repeats, 8 <= seconds_until_next(message) <= 12) == (0, True)


def test_a_person_and_the_clock_at_the_same_moment(desk: Desk) -> None:
    """Whoever is first: it goes out once."""
    message = lost(desk)
    desk.server.script(echoing())
    desk.now += LATER
    start, done = Barrier(3), []

    def by_clock() -> None:
        try:
            with desk.client() as client:
                start.wait(timeout=10)
                done.append(delivery.deliver(message.pk, client=client, clock=desk.clock))
        finally:
            connection.close()

    def by_hand() -> None:
        try:
            start.wait(timeout=10)
            with transaction.atomic():
                queued = delivery.queue_again(message)
            if queued:
                with desk.client() as client:
                    done.append(delivery.deliver(message.pk, client=client, clock=desk.clock))
        finally:
            connection.close()

    threads = [Thread(target=each) for each in (by_clock, by_clock, by_hand)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [each for each in done if each is not None] == [DeliveryState.ACCEPTED]
    assert len(desk.server.received) == 2
    assert [each.number for each in message.attempts.all()] == [1, 2]


def test_what_nobody_wants_any_more_is_not_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    message = lost(desk)

    def withdraw(subject_id: str, *, actor: Actor, now: object) -> bool:
        assert connection.in_atomic_block
        return True

    monkeypatch.setattr(desk.probe, "withdraw", withdraw)
    desk.now += LATER
    assert desk.deliver(message) == DeliveryState.ABANDONED
    assert (message.reason, len(desk.server.received), len(desk.probe.outcomes)) == (OBSOLETE, 1, 1)
    assert list(given_up(desk.subject.pk, now=desk.now)) == []
    assert outbox.unsettled(desk.subject) is None
    assert message.is_unclear is False
    assert delivery.queue_again(message) is False


def test_a_worker_that_dies_while_repeating(desk: Desk) -> None:
    message = lost(desk)
    desk.now += LATER
    assert delivery._claim(message.pk, now=desk.clock()) is not None
    desk.now += LEASE * 2
    assert settlement.settle_lost(message.pk, now=desk.now) == DeliveryState.UNKNOWN
    message.refresh_from_db()
    assert (message.repeats, message.next_attempt_at is None) == (1, False)
