"""Each message has a deadline: then a person is told, and what arrives after that is told loudly."""

from datetime import timedelta
from typing import Any

import pytest

from bars_portal.exchange import delivery, outbox, settlement
from bars_portal.exchange.models import NEVER_SENT, DeliveryState, OutboundMessage
from bars_portal.exchange.registry import ReadBack, message_types
from bars_portal.exchange.transport.judgement import Delivery
from tests.integration.exchange.partner import START, Desk, echoing, outcome_body
from tests.unit.exchange_transport.servers import raw

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOUND = {"resourceType": "Appointment", "id": "found"}


@pytest.fixture(autouse=True)
def soon(settings: Any) -> None:
    settings.BARS_RETRY_SECONDS = (10, 600, 7200)


@pytest.fixture
def hasty(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Its messages are tried for an hour."""
    monkeypatch.setattr(type(desk.probe), "tried_for", HOUR)
    return desk


def overdue_now(desk: Desk) -> list[DeliveryState | None]:
    return [settlement.give_up(each, now=desk.now) for each in settlement.overdue_messages(now=desk.now)]


def test_every_kind_of_message_has_one() -> None:
    longest = timedelta(hours=2)
    assert message_types()
    assert all(timedelta(minutes=10) <= each.tried_for <= longest for each in message_types())


def test_what_never_went_out_is_not_sent_after_people_were_told(hasty: Desk) -> None:
    message = hasty.enqueue()
    hasty.now += HOUR - timedelta(seconds=1)
    assert overdue_now(hasty) == []
    hasty.now += timedelta(seconds=1)
    assert overdue_now(hasty) == [DeliveryState.ABANDONED]
    message.refresh_from_db()
    (outcome,) = hasty.probe.outcomes
    assert (outcome.delivery, outcome.reason, outcome.never_sent) == (Delivery.REFUSED, NEVER_SENT, True)
    assert (message.state, message.reason, message.is_unclear) == (DeliveryState.ABANDONED, NEVER_SENT, False)
    # Somebody may have booked elsewhere by now.
    assert (hasty.deliver(message), delivery.queue_again(message)) == (None, False)
    assert outbox.waiting_for_check(hasty.subject) is None
    assert hasty.server.received == []


def test_what_may_have_arrived_is_given_up_with_its_reason(hasty: Desk) -> None:
    message = hasty.enqueue()
    hasty.server.script(raw(b""))
    hasty.deliver(message)
    hasty.now += DAY
    assert overdue_now(hasty) == [DeliveryState.ABANDONED]
    message.refresh_from_db()
    assert (message.reason, message.next_attempt_at, message.is_unclear) == ("deadline/cut", None, True)
    assert [each.delivery for each in hasty.probe.outcomes] == [Delivery.UNKNOWN] * 2
    assert hasty.probe.outcomes[-1].next_attempt_at is None, "it is up to a person"
    assert outbox.trying(hasty.subject).given_up
    assert overdue_now(hasty) == []
    # Who checks again has as much time as the first time.
    assert delivery.queue_again(message)
    message.refresh_from_db()
    assert message.abandon_at is not None
    assert message.read_back_at is None


def test_what_is_being_sent_is_left_alone(hasty: Desk) -> None:
    message = hasty.enqueue()
    assert delivery._claim(message.pk, now=hasty.now) is not None
    hasty.now += DAY
    assert settlement.give_up(message.pk, now=hasty.now) is None


SECONDS = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("planned", "retry_after", "expected"),
    [
        (600, None, 600),
        (3600, None, 3600),
        (3601, None, 3540),
        (7200, 3000, 3540),
        (7200, 7200, None),
        (None, None, None),
    ],
)
def test_the_last_attempt_is_before_the_deadline(
    planned: int | None, retry_after: int | None, expected: int | None
) -> None:
    """A partner that asks for a longer wait than there is time is not asked again: people are told then."""
    instant = settlement.within_deadline(
        None if planned is None else START + planned * SECONDS,
        START + HOUR,
        retry_after=retry_after,
        now=START,
    )
    assert instant == (None if expected is None else START + expected * SECONDS)


def test_retry_after_a_day_is_told_at_once(hasty: Desk) -> None:
    message = hasty.enqueue()
    body = outcome_body("REC_TOO_MANY_REQUESTS", "throttled")
    hasty.server.script(echoing(429, body, lambda headers: headers.update({"Retry-After": "86400"})))
    assert hasty.deliver(message) == DeliveryState.ABANDONED


def given_up(desk: Desk) -> OutboundMessage:
    message = desk.enqueue()
    desk.server.script(raw(b""))
    desk.deliver(message)
    desk.now += DAY
    overdue_now(desk)
    message.refresh_from_db()
    desk.probe.outcomes.clear()
    return message


def read_back(desk: Desk, message: OutboundMessage) -> DeliveryState | None:
    with desk.client() as client:
        return settlement.read_back_again(message.pk, client=client, clock=desk.clock)


def test_a_late_success_is_found_and_told(hasty: Desk) -> None:
    message = given_up(hasty)
    assert settlement.to_read_back(now=hasty.now) == []
    hasty.now += settlement.READ_BACK_AFTER[0]
    hasty.probe.read = ReadBack(was_applied=False)
    assert settlement.to_read_back(now=hasty.now) == [(message.service_id, message.pk)]
    # A person was told to look after it: that it has not arrived is no news.
    assert (read_back(hasty, message), hasty.probe.outcomes) == (None, [])
    assert settlement.to_read_back(now=hasty.now) == []
    hasty.now += settlement.READ_BACK_AFTER[1]
    hasty.probe.read = ReadBack(was_applied=True, found=FOUND)
    assert read_back(hasty, message) == DeliveryState.ACCEPTED
    (outcome,) = hasty.probe.outcomes
    assert (outcome.delivery, outcome.is_late, outcome.found) == (Delivery.FOUND, True, FOUND)
    message.refresh_from_db()
    assert (message.state, message.reason) == (DeliveryState.ACCEPTED, "late/applied")
    assert read_back(hasty, message) is None
    assert len(hasty.server.received) == 1, "asked, and never sent again"


def test_it_is_not_asked_after_for_ever(hasty: Desk) -> None:
    message, reads = given_up(hasty), 0
    for _ in range(9):
        hasty.now += HOUR * 8
        for _, each in settlement.to_read_back(now=hasty.now):
            read_back(hasty, message)
            reads += each == message.pk
    assert 2 <= reads <= len(settlement.READ_BACK_AFTER)


def test_an_answer_that_comes_after_all_is_asked_after_at_once(hasty: Desk) -> None:
    """Its worker was frozen, its message was called lost and then given up; now it brings a success."""
    message = hasty.enqueue()
    hasty.server.script(echoing())
    with hasty.client() as client:
        attempt = delivery._claim(message.pk, now=hasty.now)
        assert attempt is not None
        hasty.now += DAY
        settlement.settle_lost(message.pk, now=hasty.now)
        overdue_now(hasty)
        late = delivery._send(attempt.message, client, now=hasty.now)
        outcome = delivery._outcome(attempt, late, client, now=hasty.now)
        assert settlement.settle(attempt, late, outcome, now=hasty.now) is None
    assert [each for _, each in settlement.to_read_back(now=hasty.now)] == [message.pk]
