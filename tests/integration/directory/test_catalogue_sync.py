"""Our client and the simulator's Endpoint Catalogue API, each written without the other."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from bars_portal.exchange.transport.client import BarsClient
from bars_portal.simulator.catalogue.api import CatalogueApi
from bars_portal.simulator.catalogue.resources import CatalogueStore
from bars_portal.simulator.wire import request_from_environ, send
from directory.models import CatalogueImport, Endpoint, HealthcareService
from directory.services import catalogue
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
Post = Callable[..., str]


class NoTokens:
    def get(self, *, now: datetime) -> str:
        return ""

    def discard(self, token: str) -> None: ...


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    """The catalogue alone, without the proxy around it."""
    api = CatalogueApi(CatalogueStore(tmp_path), fhir_url="http://elsewhere.test/FHIR/R4", clock=lambda: NOW)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        request = request_from_environ(environ)
        return send(api.answer(request, request.raw_path), start_response)

    transport = httpx.WSGITransport(app=app)
    with httpx.Client(transport=transport, base_url="http://simulator.test") as client:
        yield client


@pytest.fixture
def post(http: httpx.Client) -> Post:
    def call(path: str, resource: dict[str, Any], as_: str = "A001") -> str:
        named = json.dumps({"identifier": [{"system": ODS, "value": as_}]}).encode()
        headers = {"NHSD-End-User-Organisation": base64.b64encode(named).decode()}
        answer = http.post(path, json=resource, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    return call


@pytest.fixture(autouse=True)
def client(http: httpx.Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's client speaks to this catalogue, as the organisation A001."""
    settings.BARS = {**settings.BARS, "ODS_CODE": "A001", "ORGANISATION_NAME": "Ours"}
    client = BarsClient(
        base_url="http://simulator.test", tokens_of=lambda _: NoTokens(), http=http, clock=lambda: NOW
    )
    monkeypatch.setattr(catalogue, "get_client", lambda: client)


def service(number: int, *endpoints: str, owner: str = "A001", **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "HealthcareService",
        "identifier": [{"system": DOS, "value": str(number)}],
        "active": True,
        "name": f"Service {number}",
        "providedBy": [{"identifier": {"system": ODS, "value": owner}}],
        "endpoint": [{"reference": f"Endpoint/{each}"} for each in endpoints],
        **changes,
    }


def endpoint(owner: str = "A001", **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Endpoint",
        "identifier": [{"system": "https://fhir.nhs.uk/id/product-id", "value": "P-v1"}],
        "status": "active",
        "name": "P",
        "connectionType": {"coding": [{"code": "hl7-fhir-rest"}]},
        "payloadType": [{"coding": [{"code": "bars"}]}],
        "managingOrganization": [{"identifier": {"system": ODS, "value": owner}}],
        "address": "https://receiver.example.nhs.uk/FHIR/R4",
        "header": "public",
        **changes,
    }


def sync(*options: str) -> str:
    said = io.StringIO()
    call_command("sync_catalogue", *options, stdout=said)
    return said.getvalue()


def test_a_catalogue_of_many_pages_comes_in_whole(post: Post) -> None:
    shared = post("/Endpoint", endpoint())
    for number in range(1, 24):
        post("/HealthcareService", service(number, shared))
    make_organisation(ods_code="A001")

    said = sync("--organisation", "A001")

    assert "A001: 23 services" in said
    assert HealthcareService.objects.filter(source="api", provider__ods_code="A001").count() == 23
    assert Endpoint.objects.filter(catalogue_id=shared, status="active").count() == 23
    assert "0 new, 0 changed, 0 made inactive, 23 as they were." in sync("--organisation", "A001")


def test_a_dry_run_asks_and_writes_nothing(post: Post) -> None:
    post("/HealthcareService", service(1))

    assert "1 new" in sync("--organisation", "A001", "--dry-run")
    assert not HealthcareService.objects.exists()
    assert not CatalogueImport.objects.exists()


def test_private_addresses_of_others_stay_unknown(post: Post) -> None:
    theirs = post("/Endpoint", endpoint(owner="B002", header="private"), as_="B002")
    ours = post("/Endpoint", endpoint(header="private", address="https://ours.example.nhs.uk"))
    post("/HealthcareService", service(1, theirs, owner="B002"))
    post("/HealthcareService", service(2, ours))

    sync("--organisation", "A001", "--organisation", "B002")

    assert dict(Endpoint.objects.values_list("service__service_id", "address")) == {
        "1": "",
        "2": "https://ours.example.nhs.uk",
    }


def test_only_those_who_were_asked_for_can_be_gone(post: Post, http: httpx.Client) -> None:
    make_service(service_id="9", source="api", provider=make_organisation(ods_code="B002"))
    make_service(service_id="8", source="api", provider=make_organisation(ods_code="A001"))
    post("/HealthcareService", service(1))

    assert "1 new, 0 changed, 1 made inactive" in sync("--organisation", "A001")
    assert list(HealthcareService.objects.filter(active=False).values_list("service_id", flat=True)) == ["8"]


def test_without_a_name_all_who_provide_services_are_asked(post: Post) -> None:
    make_service(provider=make_organisation(ods_code="A001"))
    post("/HealthcareService", service(1))

    assert "A001: 1 services" in sync()
