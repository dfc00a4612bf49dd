"""No figure holds what somebody typed or sent; and a stranger adds no line to what is shown."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from prometheus_client import REGISTRY, Metric, generate_latest

from bars_portal.metrics.figures import known, partner_label
from bars_portal.status import collector
from bars_portal.status.collector import FAMILIES, DatabaseCollector, learn_partners
from tests.factories.accounts import make_organisation, make_user
from tests.factories.directory import make_service
from tests.integration.exchange.calling import Receiver, organisation

pytestmark = pytest.mark.django_db
VALUE = "Quetzalberg"


@pytest.fixture
def receiver(settings: Any) -> Receiver:
    settings.ROOT_URLCONF, settings.APPEND_SLASH = "bars_portal.exchange.receiver.urls", False
    settings.MIDDLEWARE = ["bars_portal.middleware.AnswerTimeMiddleware"]
    return Receiver(Client(raise_request_exception=False))


@pytest.fixture(autouse=True)
def nobody_known() -> None:
    known.learn([])


def shown() -> str:
    return generate_latest(REGISTRY).decode()


def count_of(line: str) -> float:
    """0 when there is no such line."""
    found = re.search(rf"^{re.escape(line)} (\S+)$", shown(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_pages_are_named_by_their_route(client: Client) -> None:
    client.force_login(make_user())
    line = 'bars_answer_seconds_count{method="GET",route="home",status="2xx"}'
    before = count_of(line)
    client.get("/")
    assert count_of(line) == before + 1
    for path in (f"/{VALUE}/", f"/services/{VALUE}/", f"/bookings/?{VALUE}", f"/admin/{VALUE}/"):
        client.get(path)
    client.generic(VALUE, "/")
    assert VALUE not in shown()


def test_partners_are_named_when_the_directory_knows_them(receiver: Receiver) -> None:
    make_organisation(ods_code="KNW01")
    learn_partners()
    for ods_code, partner in (("KNW01", "KNW01"), ("STR99", "other")):
        line = f'bars_received_total{{code="REC_BAD_REQUEST",partner="{partner}"}}'
        before = count_of(line)
        receiver.get(f"/Appointment/{VALUE}", NHSD_End_User_Organisation=organisation(ods_code))
        assert count_of(line) == before + 1
    text = shown()
    assert VALUE not in text
    assert "STR99" not in text
    assert 'route="Appointment by id"' in text


def test_who_is_known_is_learned_from_the_directory() -> None:
    service = make_service()
    assert partner_label(service.service_id) == "other"
    learn_partners()
    assert partner_label(service.service_id) == service.service_id
    assert partner_label(VALUE) == "other"


def collected() -> list[Metric]:
    return list(DatabaseCollector(lambda: datetime.now(UTC)).collect())


def test_what_the_worker_tells_of_the_database() -> None:
    families = {each.name: each for each in collected()}
    assert families.keys() == FAMILIES.keys()
    samples = {
        (each.name, *each.labels.values()): each.value for f in families.values() for each in f.samples
    }
    assert samples["bars_database_up",] == 1
    assert samples["bars_queue_messages", "queued"] == 0
    assert samples["bars_worker_heartbeat_age_seconds",] == float("inf")


def test_it_says_so_when_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> datetime:
        raise DatabaseError

    monkeypatch.setattr(collector, "database_time", away)
    samples = [each for family in collected() for each in family.samples]
    assert [(each.name, each.value) for each in samples] == [("bars_database_up", 0.0)]
