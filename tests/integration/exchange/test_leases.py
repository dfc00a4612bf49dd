"""Whoever sends a message holds it by a lease: renewed meanwhile, and over soon when the worker dies."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from time import sleep

import pytest
from django.db import connection

from bars_portal.exchange import delivery, settlement, waiting
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.waiting import LEASE, Keeper
from tests.integration.exchange.partner import Desk, echoing
from tests.unit.exchange_transport.servers import silence

pytestmark = pytest.mark.django_db(transaction=True)


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        sleep(0.01)
    raise AssertionError("not within 5 s")


def test_a_message_that_is_still_being_sent_is_not_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: its lease is renewed, so no sweep calls its worker dead."""
    monkeypatch.setattr(waiting, "keeper", Keeper(every_seconds=0.02))
    answer = Event()
    desk.server.script(silence(answer), echoing())
    message = desk.enqueue()

    def work() -> None:
        try:
            with desk.client() as client:
                client._http.timeout = 5.0
                delivery.deliver(message.pk, client=client, clock=desk.clock)
        finally:
            connection.close()

    worker = Thread(target=work)
    worker.start()
    until(lambda: bool(desk.server.received))
    desk.now += timedelta(hours=1)
    until(lambda: OutboundMessage.objects.filter(lease_until__gt=desk.now).exists())
    assert settlement.stale_messages(now=desk.now) == []
    assert settlement.settle_lost(message.pk, now=desk.now) is None
    answer.set()
    worker.join(10)
    message.refresh_from_db()
    assert (message.state, message.reason) == (DeliveryState.UNKNOWN, "cut")


def test_a_worker_that_was_killed_is_noticed_within_seconds(desk: Desk) -> None:
    """Lease, the next look, the first repeat: within 30 s it is on its way again."""
    message = desk.enqueue()
    assert delivery._claim(message.pk, now=desk.now) is not None
    desk.now += LEASE + timedelta(seconds=1)
    assert settlement.stale_messages(now=desk.now) == [message.pk]
    assert settlement.settle_lost(message.pk, now=desk.now) == DeliveryState.UNKNOWN
    message.refresh_from_db()
    assert message.sending_since is not None
    assert message.next_attempt_at is not None
    assert message.next_attempt_at - message.sending_since < timedelta(seconds=29)


def test_one_renewed_at_the_last_moment_is_not_lost(desk: Desk) -> None:
    message = desk.enqueue()
    attempt = delivery._claim(message.pk, now=desk.now)
    assert attempt is not None
    desk.now += 2 * LEASE
    assert settlement.stale_messages(now=desk.now) == [message.pk]
    waiting.held_by(attempt).update(lease_until=desk.now + LEASE)
    assert settlement.settle_lost(message.pk, now=desk.now) is None


def test_attempts_of_earlier_versions_have_the_time_that_they_had(desk: Desk) -> None:
    message = desk.enqueue()
    assert delivery._claim(message.pk, now=desk.now) is not None
    OutboundMessage.objects.update(lease_until=None)
    assert settlement.stale_messages(now=desk.now + 2 * LEASE) == []
    later = desk.now + settlement.STALE_WITHOUT_LEASE + timedelta(seconds=1)
    assert settlement.stale_messages(now=later) == [message.pk]
