"""The worker's postroom: fair to every partner, and nothing in it needs the broker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import models

from bars_portal.exchange import delivery, settlement
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.gateway import client as gateway
from bars_portal.exchange.models import DeliveryState, OutboundMessage, PartnerCircuit
from bars_portal.exchange.postroom import DatabaseClock, Postroom
from bars_portal.exchange.registry import Addressing
from bars_portal.sql import database_time
from tests.integration.exchange.partner import Desk, Probe, echoing, registered
from tests.simulator.conftest import configured
from tests.simulator.program import running
from tests.simulator.support import API_KEY, BASE, KEY_ID
from tests.simulator.tls_receiver import write_certificates
from tests.unit.exchange_transport.servers import serving

pytestmark = pytest.mark.django_db(transaction=True)
HANGING, HEALTHY = "2000099001", "2000072489"


class Routed(Probe):
    """Goes to whichever service is named at the moment."""

    to = HEALTHY

    def addressing(self, subject: models.Model) -> Addressing:
        return Addressing(ServiceID.parse(self.to), uuid4(), UseCase("a1t1"), "booking")


@contextmanager
def open_room(room: Postroom) -> Iterator[Postroom]:
    room.start()
    try:
        yield room
    finally:
        room.stop()


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> float:
    """Seconds that it took."""
    began = monotonic()
    while not is_so():
        assert monotonic() < began + seconds, f"not within {seconds} s"
        sleep(0.02)
    return monotonic() - began


def settled(message: OutboundMessage) -> bool:
    message.refresh_from_db()
    return message.settled_at is not None


@pytest.fixture
def simulator(tmp_path: Path, settings: Any) -> Iterator[str]:
    """The real one, as a process, with our client for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    config = configured(tmp_path, key)
    write_certificates(tmp_path)
    with running(config) as (_, url):
        settings.BARS = {
            **settings.BARS,
            "BASE_URL": f"{url}{BASE}",
            "TOKEN_URL": f"{url}/oauth2/token",
            "API_KEY": API_KEY,
            "KEY_ID": KEY_ID,
            "PRIVATE_KEY_FILE": str(file),
        }
        yield url
    gateway._close()


def test_one_partner_that_hangs_holds_up_no_other(simulator: str) -> None:
    """40 messages to a service that hangs; what goes to another leaves and is answered within 2 s."""
    drill = {"service": HANGING, "fault": "hang", "times": 40, "seconds": 3}
    httpx.post(f"{simulator}/simulator/faults", json=drill, trust_env=False).raise_for_status()
    routed = Routed()
    with serving() as unused, registered(routed):
        desk = Desk(unused, routed, now=database_time())
        routed.to = HANGING
        stuck = [desk.enqueue().pk for _ in range(40)]
        with open_room(Postroom(threads=8, per_partner=4)) as room:
            sending = OutboundMessage.objects.filter(state=DeliveryState.SENDING)
            wait_until(lambda: sending.count() >= 4, seconds=5)
            routed.to = HEALTHY
            message = desk.enqueue()
            room.ring()
            wait_until(lambda: settled(message), seconds=2)
            assert sending.filter(pk__in=stuck).count() == 4, "no more than so many at one partner"
            # It is noticed soon: nobody is sent after those four.
            wait_until(PartnerCircuit.objects.filter(pk=HANGING, state="open").exists, seconds=8)
    waiting = OutboundMessage.objects.filter(pk__in=stuck, state=DeliveryState.QUEUED)
    assert waiting.count() >= 32, "spared, and nothing lost"


def test_without_a_broker_everything_leaves_all_the_same(desk: Desk) -> None:
    """Nobody rings: what is queued, what is due again, and what lost its worker."""
    desk.server.script(echoing())
    desk.now = database_time() - timedelta(hours=1)
    queued, lost = desk.enqueue(), desk.enqueue()
    assert delivery._claim(lost.pk, now=desk.now) is not None
    due = desk.enqueue()
    OutboundMessage.objects.filter(pk=due.pk).update(state=DeliveryState.UNKNOWN, next_attempt_at=desk.now)
    with desk.client() as client:
        room = Postroom(threads=2, per_partner=2, client=lambda: client, every_seconds=0.05)
        with open_room(room):
            wait_until(lambda: all(map(settled, (queued, due, lost))), seconds=5)
    states = {each.pk: each.state for each in OutboundMessage.objects.all()}
    assert states == {
        queued.pk: DeliveryState.ACCEPTED,
        due.pk: DeliveryState.ACCEPTED,
        lost.pk: DeliveryState.UNKNOWN,
    }


def test_one_message_that_cannot_be_settled_keeps_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = desk.now
    lost, other = desk.enqueue(), desk.enqueue()
    for each in (lost, other):
        assert delivery._claim(each.pk, now=now) is not None
    settle = settlement.settle_lost

    def failing(message_id: UUID, **named: Any) -> DeliveryState | None:
        if message_id == lost.pk:
            raise ValueError("a bug")
        return settle(message_id, **named)

    monkeypatch.setattr(settlement, "settle_lost", failing)
    Postroom(threads=1, per_partner=1)._tend(now + timedelta(minutes=1))
    assert {settled(lost), settled(other)} == {False, True}


def test_the_room_is_not_fooled_by_a_clock_that_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = DatabaseClock()
    assert abs(clock.set() - database_time()) < timedelta(seconds=5)
    # What the machine's own clock says does not matter: the clock is not asked for it any more.
    monkeypatch.setattr("bars_portal.exchange.postroom.datetime", None)
    assert abs(clock() - database_time()) < timedelta(seconds=5)


def test_what_was_given_up_is_asked_after_by_the_room(desk: Desk) -> None:
    message = desk.enqueue()
    OutboundMessage.objects.filter(pk=message.pk).update(
        state=DeliveryState.ABANDONED, reason="timeout", settled_at=desk.now, read_back_at=desk.now
    )
    assert settlement.to_read_back(now=desk.now) == [("2000099001", message.pk)]
    with desk.client() as client:
        room = Postroom(threads=1, per_partner=1, client=lambda: client, every_seconds=0.05)
        with open_room(room):
            wait_until(lambda: desk.probe.reads == 1, seconds=5)
