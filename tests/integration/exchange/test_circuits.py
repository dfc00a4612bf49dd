"""A partner that is down is spared, one request tries, and everybody is let through once it answers."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.models import DeliveryState, PartnerCircuit
from bars_portal.exchange.transport.judgement import Health
from tests.integration.exchange.partner import START, Desk, echoing, refusing

pytestmark = pytest.mark.django_db(transaction=True)
PARTNER = "2000099001"
SECOND = timedelta(seconds=1)
FREE, PROBE, REFUSED = Admission.FREE, Admission.PROBE, Admission.REFUSED


def fail(
    times: int = circuits.FAILURES, *, admission: Admission = FREE, now: Any = START, **more: Any
) -> None:
    for _ in range(times):
        circuits.note(PARTNER, Health.DOWN, admission, now=now, **more)


def test_it_opens_is_probed_and_closes() -> None:
    fail(circuits.FAILURES - 1)
    assert circuits.admit(PARTNER, now=START) is FREE
    fail(1, now=START + SECOND)
    assert circuits.not_answering([PARTNER, "1"]) == {PARTNER: START}, "since the first failure"
    late = START + SECOND + circuits.SPARED
    assert circuits.admit(PARTNER, now=late - SECOND) is REFUSED
    assert [circuits.admit(PARTNER, now=late) for _ in range(3)] == [PROBE, REFUSED, REFUSED]
    fail(1, admission=PROBE, now=late)
    assert circuits.admit(PARTNER, now=late + circuits.SPARED) is REFUSED, "twice as long after a probe"
    later = late + 2 * circuits.SPARED
    assert circuits.admit(PARTNER, now=later) is PROBE
    circuits.note(PARTNER, Health.UP, PROBE, now=later)
    assert circuits.admit(PARTNER, now=later) is FREE
    assert circuits.not_answering([PARTNER]) == {}
    row = PartnerCircuit.objects.get()
    assert (row.state, row.failures, row.probes, row.retry_at) == ("closed", 0, 0, None)


def test_an_answer_in_between_begins_the_count_anew() -> None:
    for _ in range(3):
        fail(circuits.FAILURES - 1)
        assert circuits.admit(PARTNER, now=START) is FREE
        circuits.note(PARTNER, Health.UP, FREE, now=START)


def test_a_probe_that_never_comes_back_holds_nobody_up_for_long() -> None:
    fail()
    due = START + circuits.SPARED
    assert circuits.admit(PARTNER, now=due) is PROBE
    assert circuits.admit(PARTNER, now=due + circuits.PROBE - SECOND) is REFUSED
    assert circuits.admit(PARTNER, now=due + circuits.PROBE) is PROBE
    # Told nothing of the partner: the token's issuer was in the way. Not sent at all: the next one may.
    circuits.note(PARTNER, Health.UNSAID, PROBE, now=due)
    assert circuits.admit(PARTNER, now=due) is REFUSED
    assert circuits.admit(PARTNER, now=due + circuits.SPARED) is PROBE
    circuits.give_back(PARTNER, PROBE, now=due)
    assert circuits.admit(PARTNER, now=due) is PROBE


def test_two_ask_at_the_same_moment_and_one_probes() -> None:
    """The second has read the row as the first did, and comes to write when the first has written."""
    fail()
    due, told = START + circuits.SPARED, []

    def ask() -> None:
        try:
            told.append(circuits.admit(PARTNER, now=due))
        finally:
            connection.close()

    def be_second(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and not told:
            first = Thread(target=ask)
            first.start()
            first.join(10)
        return execute(sql, *rest)

    with connection.execute_wrapper(be_second):
        second = circuits.admit(PARTNER, now=due)
    assert (told, second) == ([PROBE], REFUSED)


def test_what_it_asks_for_is_waited_for() -> None:
    fail(retry_after=120)
    assert circuits.admit(PARTNER, now=START + 2 * circuits.SPARED) is REFUSED
    assert circuits.admit(PARTNER, now=START + timedelta(seconds=120)) is PROBE
    fail(1, admission=PROBE, retry_after=86_400)
    assert circuits.spared_now(now=START + circuits.LONGEST_SPARED) == {PARTNER: True}, "a day is no pause"


def test_what_waits_for_a_spared_partner_costs_no_attempt(desk: Desk) -> None:
    fail(now=desk.now)
    message = desk.enqueue()
    desk.server.script(refusing(500, "REC_SERVER_ERROR"), echoing())
    assert desk.deliver(message) is None
    assert (message.state, message.attempts.count()) == (DeliveryState.QUEUED, 0)
    desk.now += circuits.SPARED
    other = desk.enqueue()
    # The probe's answer shows that it is there, though it says nothing of the message: all may go out.
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    assert desk.deliver(other) == DeliveryState.ACCEPTED


def test_a_message_that_fails_each_time_spares_nobody_else(desk: Desk) -> None:
    """It may be the cause itself: only the first attempt of each message counts."""
    desk.server.script(refusing(408, "REC_TIMEOUT", "timeout"))
    message = desk.enqueue()
    for _ in range(circuits.FAILURES + 1):
        assert desk.deliver(message) == DeliveryState.UNKNOWN
        desk.now += timedelta(hours=2)
    assert PartnerCircuit.objects.get().state == "closed"
    for _ in range(circuits.FAILURES - 1):
        desk.deliver(desk.enqueue())
    assert PartnerCircuit.objects.get().state == "open"
