"""Many services asked for their times at once: a real server for all of them, on which one hangs."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from threading import Event
from time import monotonic
from typing import Any

import pytest
from django.db import OperationalError

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.gateway import client as gateway
from bars_portal.exchange.transport.client import BarsClient
from bookings.slots import SlotProblem, SlotSearch, compare_services, search_slots
from directory.models import HealthcareService
from directory.remote import sender_identity
from tests.factories.accounts import make_acting
from tests.factories.directory import make_service
from tests.unit.exchange_transport.servers import reply, serving, silence

pytestmark = pytest.mark.django_db(transaction=True)
HANGING, COUNT = "2000088806", 7
NONE = json.dumps({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}).encode()


@pytest.fixture
def release(settings: Any) -> Iterator[Event]:
    """Lets go of who hangs; our client speaks to the server."""
    release = Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        target = json.loads(base64.b64decode(handler.headers["NHSD-Target-Identifier"]))["value"]
        ids = {name: handler.headers[name] for name in ("X-Request-ID", "X-Correlation-ID")}
        step = silence(release) if target == HANGING else reply(200, NONE, ids)
        step(handler)

    with serving() as server:
        server.script(answer)
        ours = {"ODS_CODE": "Y00111", "ORGANISATION_NAME": "Northern 111"}
        settings.BARS = {**settings.BARS, **ours, "ENVIRONMENT": "sandbox", "BASE_URL": server.url}
        yield release
        release.set()
    gateway._close()


def services() -> list[HealthcareService]:
    return [make_service(service_id=f"20000888{number:02d}") for number in range(COUNT)]


def test_one_that_hangs_comes_last_and_holds_up_no_other(release: Event) -> None:
    now, acting = datetime.now(UTC), make_acting()
    began, seen = monotonic(), []
    for service, found in compare_services(
        gateway.get_client(),
        services=services(),
        start=now,
        end=now + timedelta(days=1),
        sender=sender_identity(acting),
        now=now,
        seconds=1.5,
    ):
        seen.append((service.service_id, found.problem, monotonic() - began))
    healthy, (last, problem, took) = seen[:-1], seen[-1]
    assert {each[1] for each in healthy} == {SlotProblem.NONE_IN_RANGE}
    assert max(each[2] for each in healthy) < 1.4 < took < 2.5
    assert (last, problem, len(seen)) == (HANGING, SlotProblem.NO_ANSWER, COUNT)
    assert AuditEvent.objects.filter(action="bookings.search_slots").count() >= COUNT - 1


def test_a_pool_without_a_free_connection_fails_one_service_and_no_other(
    release: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, starved = datetime.now(UTC), services()[:3]

    def search(client: BarsClient, *, service: HealthcareService, **named: Any) -> SlotSearch:
        if service == starved[1]:
            raise OperationalError("couldn't get a connection after 5.00 sec")
        return search_slots(client, service=service, **named)

    monkeypatch.setattr("bookings.slots.search_slots", search)
    found = compare_services(
        gateway.get_client(),
        services=starved,
        start=now,
        end=now + timedelta(days=1),
        sender=sender_identity(make_acting()),
        now=now,
        seconds=5,
    )
    assert {service.service_id: each.problem for service, each in found} == {
        starved[0].service_id: SlotProblem.NONE_IN_RANGE,
        starved[1].service_id: SlotProblem.NO_ANSWER,
        starved[2].service_id: SlotProblem.NONE_IN_RANGE,
    }
