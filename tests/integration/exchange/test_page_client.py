"""Whoever waits for a page waits a few seconds, and a partner that hangs keeps few of the page's threads."""

from collections.abc import Iterator
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import RequestFactory

from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.gateway import client as gateway
from bars_portal.exchange.gateway.client import client_for_page, own_organisation
from bars_portal.exchange.gateway.senders import own_software
from bars_portal.exchange.models import PartnerCircuit
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext
from bars_portal.exchange.transport.judgement import Health
from bars_portal.http import TransportError
from bars_portal.sql import database_time
from tests.unit.exchange_transport.servers import Server, reply, serving, silence

pytestmark = pytest.mark.django_db(transaction=True)
PARTNER, OTHER = ServiceID.parse("2000099001"), ServiceID.parse("2000099002")


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Of our BaRS client; a page has half a second."""
    monkeypatch.setattr(gateway, "PAGE_SECONDS", 0.5)
    monkeypatch.setattr(gateway, "TURN_SECONDS", 0.05)
    settings.BARS_PARTNER_LIMIT = 2
    with serving() as running:
        running.script(reply(200, b"{}"))
        ours = {"ODS_CODE": "Y00111", "ORGANISATION_NAME": "Northern 111"}
        settings.BARS = {**settings.BARS, **ours, "ENVIRONMENT": "sandbox", "BASE_URL": running.url}
        yield running
    gateway._close()


def read(client: BarsClient, partner: ServiceID = PARTNER) -> int:
    context = OutgoingContext(uuid4(), uuid4(), partner, own_organisation(), own_software())
    return client.get("/Slot", context=context).status


def new_page() -> BarsClient:
    return client_for_page(RequestFactory().get("/"))


def kind_of(partner: ServiceID = PARTNER) -> str:
    with pytest.raises(TransportError) as failed:
        read(new_page(), partner)
    return failed.value.kind


def test_all_that_a_page_asks_has_one_deadline(server: Server) -> None:
    release = Event()
    server.script(silence(release))
    request = RequestFactory().get("/")
    began = monotonic()
    for _ in range(3):
        with pytest.raises(TransportError):
            read(client_for_page(request))
    assert monotonic() - began < 1.5
    assert len(server.received) == 1, "the others had no time left"
    assert PartnerCircuit.objects.get().failures == 1, "and learnt nothing of the partner"
    release.set()


def test_those_who_hang_keep_few_and_others_go_on(server: Server) -> None:
    release = Event()
    server.script(silence(release))
    pages = [new_page().within(5) for _ in range(2)]

    def hang(page: BarsClient) -> None:
        try:
            page._deadline = monotonic() + 5
            with pytest.raises(TransportError):
                read(page)
        finally:
            connection.close()

    threads = [Thread(target=hang, args=[page]) for page in pages]
    for thread in threads:
        thread.start()
    while len(server.received) < 2:
        threads[0].join(0.01)
    began = monotonic()
    assert kind_of() == "busy"
    assert monotonic() - began < 0.4, "told at once"
    server.script(reply(200, b"{}"))
    assert read(new_page(), OTHER) == 200
    release.set()
    for thread in threads:
        thread.join(10)
    assert read(new_page()) == 200, "their turns are free again"


def test_who_is_spared_is_not_asked(server: Server) -> None:
    now = database_time()
    for _ in range(circuits.FAILURES):
        circuits.note(PARTNER.value, Health.DOWN, Admission.FREE, now=now)
    assert kind_of() == "circuit"
    assert server.received == []
    # Once its time has come a page's read is as good a probe as any.
    PartnerCircuit.objects.update(retry_at=now)
    assert read(new_page()) == 200
    assert circuits.not_answering([PARTNER.value]) == {}


def test_pages_count_too(server: Server) -> None:
    server.script(reply(503, b"<html>"))
    for _ in range(circuits.FAILURES):
        assert read(new_page()) == 503
    assert kind_of() == "circuit"
