"""Reading the Endpoint Catalogue API page by page, over real sockets."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from bars_portal.exchange.transport.client import BarsClient, CatalogueUnavailable, EndpointCatalogue
from bars_portal.exchange.transport.headers import Party
from tests.unit.exchange_transport.servers import Server, raw, reply

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
ASKED = ("HealthcareService.providedBy", "https://fhir.nhs.uk/Id/ods-organization-code|A001")


class OneToken:
    def get(self, *, now: datetime) -> str:
        return "token"

    def discard(self, token: str) -> None: ...


@pytest.fixture
def catalogue(server: Server, http: httpx.Client) -> EndpointCatalogue:
    client = BarsClient(
        base_url=f"{server.url}/FHIR/R4", tokens_of=lambda _: OneToken(), http=http, clock=lambda: NOW
    )
    return EndpointCatalogue(client, organisation=Party("A001", "Riverside"))


def page(*ids: str, following: str | None = None, **changes: Any) -> bytes:
    entries = [{"resource": {"resourceType": "HealthcareService", "id": each}} for each in ids]
    link = [
        {"relation": "self", "url": "x"},
        *([{"relation": "next", "url": following}] if following else []),
    ]
    return json.dumps(
        {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": link, **changes}
    ).encode()


def test_it_follows_the_pages_where_it_asked(server: Server, catalogue: EndpointCatalogue) -> None:
    following = "https://elsewhere.example/FHIR/R4/HealthcareService?page-token=2&x="
    server.script(reply(200, page("1", "2", following=following)), reply(200, page("3")))

    assert [each["id"] for each in catalogue.services_of("A001")] == ["1", "2", "3"]

    first, second = server.received
    assert parse_qsl(urlsplit(first.target).query) == [ASKED]
    assert second.target.endswith("/FHIR/R4/HealthcareService?page-token=2&x=")
    sent = {name.lower(): value for name, value in dict(first.headers).items()}
    assert sent["accept"] == "application/fhir+json; version=1.4.0"
    assert (
        json.loads(base64.b64decode(sent["nhsd-end-user-organisation"]))["identifier"][0]["value"] == "A001"
    )
    assert "nhsd-target-identifier" not in sent
    assert {"x-request-id", "x-correlation-id", "authorization"} <= set(sent)


def test_endpoints_are_asked_for_by_their_service(server: Server, catalogue: EndpointCatalogue) -> None:
    server.script(reply(200, page()))
    assert catalogue.endpoints_of("abc") == []
    assert parse_qsl(urlsplit(server.received[0].target).query) == [("_has:HealthcareService.Id", "abc")]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (lambda: [reply(200, page(following="http://x/HealthcareService?a=1"))], "circle"),
        (lambda: [reply(200, page(following="http://x/Other?a=1"))], "somewhere else"),
        (lambda: [reply(200, page(following="http://[x/HealthcareService"))], "no address"),
        (lambda: [reply(503, b"")], "answered 503"),
        (lambda: [reply(200, b"<html>")], "no JSON"),
        (lambda: [reply(200, page(type="collection"))], "no searchset"),
        (lambda: [reply(200, b"{}")], "no searchset"),
    ],
    ids=["cycle", "other-path", "bad-link", "status", "not-json", "not-searchset", "not-bundle"],
)  # fmt: skip
def test_what_cannot_be_used_is_said(
    server: Server, catalogue: EndpointCatalogue, answers: Callable[[], list[Any]], message: str
) -> None:
    server.script(*answers())
    with pytest.raises(CatalogueUnavailable, match=message):
        catalogue.services_of("A001")


def test_a_catalogue_without_end_is_left(
    server: Server, catalogue: EndpointCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bars_portal.exchange.transport.client.MOST_PAGES", 2)
    server.script(*(reply(200, page(following=f"/HealthcareService?a={number}")) for number in range(3)))
    with pytest.raises(CatalogueUnavailable, match="more than 2 pages"):
        catalogue.services_of("A001")


def test_a_cut_connection(server: Server, catalogue: EndpointCatalogue) -> None:
    server.script(raw(b""))
    with pytest.raises(CatalogueUnavailable, match="could not be asked"):
        catalogue.services_of("A001")
