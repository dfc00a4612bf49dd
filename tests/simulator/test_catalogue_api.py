"""The Endpoint Catalogue API over HTTP: what it keeps, who may change it, whose addresses it hides."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.catalogue.resources import CatalogueStore
from bars_portal.simulator.config import Config
from tests.profiles import examples
from tests.simulator.conftest import CallProxy
from tests.simulator.support import BASE, IDS, SYSTEM, Recorder, Reply, call_app, target

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
PRODUCT = "https://fhir.nhs.uk/id/product-id"
NEW_ID = "b9a44b8a-0000-4000-8000-000000000001"
OTHER_ID = "b9a44b8a-0000-4000-8000-000000000002"
Ask = Callable[..., Reply]


def organisation(code: str) -> str:
    named = {"resourceType": "Organization", "identifier": [{"system": ODS, "value": code}]}
    return base64.b64encode(json.dumps(named).encode()).decode()


@pytest.fixture
def ask(proxy: CallProxy) -> Ask:
    """Calls the catalogue as A001, or as another organisation."""

    def call(
        method: str, path: str, body: Any = None, *, as_: str | None = "A001", **headers: str | None
    ) -> Reply:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        usual: dict[str, str | None] = {
            "NHSD-Target-Identifier": None,
            "NHSD-End-User-Organisation": organisation(as_) if as_ else None,
        }
        return proxy(method, path, headers=usual | headers, body=content)

    return call


def endpoint(**changes: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Endpoint",
        "identifier": [{"system": PRODUCT, "value": "SupplierProduct-v1"}],
        "status": "active",
        "name": "SupplierProduct",
        "connectionType": {"coding": [{"code": "hl7-fhir-rest"}]},
        "payloadType": [{"coding": [{"code": "bars"}]}],
        "managingOrganization": [{"identifier": {"system": ODS, "value": "A001"}}],
        "address": "https://receiver.test/FHIR/R4",
        "header": "public",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def service(number: str, *endpoint_ids: str, **changes: Any) -> dict[str, Any]:
    made = {
        "resourceType": "HealthcareService",
        "identifier": [{"system": SYSTEM.replace("https", "http"), "value": number}],
        "active": True,
        "name": f"Service {number}",
        "providedBy": [{"identifier": {"system": ODS, "value": "A001"}}],
        "endpoint": [{"reference": f"Endpoint/{each}"} for each in endpoint_ids],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def made(ask: Ask, path: str, body: dict[str, Any], as_: str = "A001") -> str:
    reply = ask("POST", path, body, as_=as_)
    assert reply.status == 200, reply.json
    return str(reply.json["id"])


def found(reply: Reply) -> list[Any]:
    assert reply.status == 200, reply.json
    return [entry["resource"] for entry in reply.json["entry"]]


def test_a_resource_is_made_read_replaced_and_deleted(ask: Ask) -> None:
    reply = ask("POST", "/Endpoint", endpoint())
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/fhir+json")
    assert {name: reply.headers[name.lower()] for name in IDS} == IDS
    key = reply.json["id"]
    assert reply.json["meta"]["versionId"] == "1"

    changed = ask("PUT", f"/Endpoint/{key}", {**endpoint(status="suspended"), "id": key})
    assert (changed.status, changed.json["status"], changed.json["meta"]["versionId"]) == (
        200,
        "suspended",
        "2",
    )
    assert ask("GET", f"/Endpoint/{key}").json == changed.json

    deleted = ask("DELETE", f"/Endpoint/{key}")
    assert deleted.outcome == (200, "OK", "informational")
    assert ask("GET", f"/Endpoint/{key}").outcome == (404, "NOT_FOUND", "not-found")


@pytest.mark.parametrize(
    "path", [f"/HealthcareService/{NEW_ID}", f"/Endpoint/{NEW_ID}", f"/Endpoint/{NEW_ID}/$template"]
)
def test_put_makes_what_is_not_there(ask: Ask, path: str) -> None:
    body = service("1") if "Healthcare" in path else endpoint()
    assert [ask("PUT", path, body).status for _ in range(2)] == [201, 200]


@pytest.mark.parametrize("path", ["/Endpoint", "/Endpoint/$template"])
def test_only_the_owner_changes_or_deletes(ask: Ask, path: str) -> None:
    key = made(ask, path, endpoint())
    single = f"/Endpoint/{key}" + path.removeprefix("/Endpoint")

    for method in ("PUT", "DELETE"):
        assert ask(method, single, endpoint(), as_="B002").outcome == (403, "SEND_FORBIDDEN", "forbidden")
        assert ask(method, single, endpoint(), as_="a001").status == 200


@pytest.mark.parametrize("header", ["private", ["private"]], ids=["text", "list"])
def test_a_private_address_is_for_its_owner(ask: Ask, header: Any) -> None:
    key = made(ask, "/Endpoint", endpoint(header=header))
    made(ask, "/HealthcareService", service("1", key))
    by_service = f"/Endpoint?_has:HealthcareService.Id={NEW_ID}".replace(NEW_ID, service_id(ask))

    for path in (f"/Endpoint/{key}", by_service):
        for code, shown in (("A001", True), ("B002", False)):
            reply = ask("GET", path, as_=code)
            resource = reply.json if "address" in reply.json or "status" in reply.json else found(reply)[0]
            assert ("address" in resource) is shown
            assert resource["header"] == header


def service_id(ask: Ask) -> str:
    (only,) = found(ask("GET", f"/HealthcareService?HealthcareService.providedBy={quote(ODS + '|A001')}"))
    return str(only["id"])


def test_services_are_found_by_provider_and_by_number(ask: Ask) -> None:
    made(ask, "/HealthcareService", service("1"))
    made(ask, "/HealthcareService", service("2", providedBy={"identifier": {"system": ODS, "value": "B002"}}))

    def numbers(query: str) -> list[str]:
        return [each["identifier"][0]["value"] for each in found(ask("GET", f"/HealthcareService?{query}"))]

    assert numbers(f"HealthcareService.providedBy={quote(ODS + '|b002')}") == ["2"]
    assert numbers(f"HealthcareService.identifier={quote(SYSTEM + '|1')}") == ["1"]
    assert numbers(f"HealthcareService.identifier={quote(SYSTEM + '|3')}") == []
    both = f"HealthcareService.identifier={quote(SYSTEM + '|1')}"
    assert numbers(f"{both}&HealthcareService.providedBy={quote(ODS + '|B002')}") == []


@pytest.mark.parametrize(
    "query",
    [
        "_has:HealthcareService.Identifier={token}",
        "_has=HealthcareService.Identifier={token}",
        "_has:HealthcareService.Id={id}",
        "Endpoint.identifier={product}",
    ],
)
def test_endpoints_are_found_in_every_way(ask: Ask, query: str) -> None:
    key = made(ask, "/Endpoint", endpoint())
    other = endpoint(identifier=[{"system": PRODUCT, "value": "Other"}], address="https://other.test")
    made(ask, "/Endpoint", other)
    made(ask, "/HealthcareService", service("1", key))
    values = {
        "token": quote(SYSTEM + "|1"),
        "id": service_id(ask),
        "product": quote(PRODUCT + "|SupplierProduct-v1"),
    }

    assert [each["id"] for each in found(ask("GET", f"/Endpoint?{query.format(**values)}"))] == [key]


def test_templates_are_found_by_all_three(ask: Ask) -> None:
    key = made(ask, "/Endpoint/$template", endpoint())
    made(ask, "/Endpoint", endpoint())
    system = "https://terminology.hl7.org/CodeSystem/endpoint"
    query = {
        "Endpoint.identifier": f"{PRODUCT}|SupplierProduct-v1",
        "ConnectionType": f"{system}-connection-type|hl7-fhir-rest",
        "PayloadType": f"{system}-payload-type|bars",
    }

    def asked(names: dict[str, str]) -> Reply:
        return ask(
            "GET", "/Endpoint/$template?" + "&".join(f"{name}={quote(text)}" for name, text in names.items())
        )

    assert [each["id"] for each in found(asked(query))] == [key]
    assert found(asked(query | {"PayloadType": f"{system}-payload-type|none"})) == []
    for name in query:
        fewer = {key: value for key, value in query.items() if key != name}
        assert asked(fewer).outcome == (400, "BAD_REQUEST", "required")


def test_pages_of_twenty_are_linked(ask: Ask) -> None:
    for number in range(45):
        made(ask, "/HealthcareService", service(str(number + 1)))
    path = f"/HealthcareService?HealthcareService.providedBy={quote(ODS + '|A001')}"
    sizes = []
    while path:
        reply = ask("GET", path)
        sizes.append(len(found(reply)))
        links = {link["relation"]: link["url"] for link in reply.json["link"]}
        path = "/HealthcareService?" + urlsplit(links["next"]).query if "next" in links else ""
    assert sizes == [20, 20, 5]


@pytest.mark.parametrize(
    ("method", "path", "body", "outcome"),
    [
        ("POST", "/Endpoint", b"{", (400, "BAD_REQUEST", "structure")),
        ("POST", "/Endpoint", [], (400, "BAD_REQUEST", "structure")),
        ("POST", "/Endpoint", service("1"), (400, "BAD_REQUEST", "structure")),
        ("POST", "/Endpoint", {**endpoint(), "id": NEW_ID}, (400, "BAD_REQUEST", "value")),
        ("POST", "/Endpoint", endpoint(identifier=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint", endpoint(status="fine"), (400, "BAD_REQUEST", "value")),
        ("POST", "/Endpoint", endpoint(status=["active"]), (400, "BAD_REQUEST", "value")),
        ("POST", "/Endpoint", endpoint(address={}), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint", endpoint(managingOrganization=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint", endpoint(connectionType=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint", endpoint(payloadType=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint", endpoint(address=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/Endpoint/$template", endpoint(period={}), (400, "BAD_REQUEST", "value")),
        ("POST", "/HealthcareService", service("x"), (400, "BAD_REQUEST", "value")),
        ("POST", "/HealthcareService", service("1", identifier=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/HealthcareService", service("1", providedBy=None), (400, "BAD_REQUEST", "required")),
        ("POST", "/HealthcareService", service("1", active="yes"), (400, "BAD_REQUEST", "value")),
        ("POST", "/HealthcareService", service("1", NEW_ID), (400, "BAD_REQUEST", "value")),
        ("PUT", f"/Endpoint/{NEW_ID}", {**endpoint(), "id": OTHER_ID}, (400, "BAD_REQUEST", "value")),
        ("GET", "/Endpoint/1", None, (400, "BAD_REQUEST", "value")),
        ("GET", f"/HealthcareService/{NEW_ID}", None, (404, "NOT_FOUND", "not-found")),
        ("DELETE", f"/Endpoint/{NEW_ID}", None, (404, "NOT_FOUND", "not-found")),
        ("GET", "/HealthcareService", None, (400, "BAD_REQUEST", "required")),
        ("GET", "/HealthcareService?HealthcareService.identifier=1", None, (400, "BAD_REQUEST", "value")),
        ("GET", "/HealthcareService?colour=red", None, (400, "BAD_REQUEST", "value")),
        ("GET", "/Endpoint?page-token=x", None, (400, "BAD_REQUEST", "value")),
        ("DELETE", "/Endpoint", None, (405, "PROXY_METHOD_NOT_ALLOWED", "not-supported")),
        ("PATCH", f"/Endpoint/{NEW_ID}", None, (405, "PROXY_METHOD_NOT_ALLOWED", "not-supported")),
        ("GET", f"/Endpoint/{NEW_ID}/$template", None, (405, "PROXY_METHOD_NOT_ALLOWED", "not-supported")),
        ("GET", "/HealthcareService/$template", None, (404, "NOT_FOUND", "not-found")),
    ],
)  # fmt: skip
def test_what_is_refused(ask: Ask, method: str, path: str, body: Any, outcome: tuple[int, str, str]) -> None:
    assert ask(method, path, body).outcome == outcome


def test_a_duplicate_is_refused(ask: Ask) -> None:
    made(ask, "/HealthcareService", service("1"))
    made(ask, "/Endpoint", endpoint())
    second = made(ask, "/Endpoint", endpoint(address="https://other.test"))

    duplicate = (409, "BAD_REQUEST", "duplicate")
    assert ask("POST", "/HealthcareService", service("1")).outcome == duplicate
    assert (
        ask("POST", "/Endpoint", endpoint(name="Other", address="https://receiver.test/FHIR/R4/")).outcome
        == duplicate
    )
    assert ask("PUT", f"/Endpoint/{second}", endpoint()).outcome == duplicate


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"X-Request-Id": None}, 400),
        ({"NHSD-End-User-Organisation": None}, 400),
        ({"NHSD-End-User-Organisation": "bm8ganNvbg=="}, 400),
        ({"NHSD-End-User-Organisation": "WzFd"}, 400),
        ({"NHSD-End-User-Organisation": organisation("A001")[:-4]}, 400),
    ],
)  # fmt: skip
def test_who_asks_must_be_known(ask: Ask, headers: dict[str, str | None], status: int) -> None:
    assert ask("GET", f"/Endpoint/{NEW_ID}", **headers).status == status


def test_it_is_kept_over_a_restart(ask: Ask, config: Config) -> None:
    key = made(ask, "/Endpoint", endpoint())
    gone = made(ask, "/Endpoint", endpoint(address="https://gone.test"))
    assert ask("DELETE", f"/Endpoint/{gone}").status == 200

    again = CatalogueStore(config.state_dir)

    assert again.get("Endpoint", key) == ask("GET", f"/Endpoint/{key}").json
    assert again.get("Endpoint", gone) is None


def test_a_broken_file_starts_empty(config: Config) -> None:
    (config.state_dir / "endpoint-catalogue.json").write_text("{")
    assert list(CatalogueStore(config.state_dir).all("Endpoint")) == []


class TestTargets:
    """Messages find their receiver by the catalogue's resources, when catalogue.json does not name it."""

    def send(self, proxy: CallProxy, number: str = "7") -> Reply:
        return proxy("GET", "/Slot", service=number)

    def test_one_endpoint_is_where_they_go(self, ask: Ask, proxy: CallProxy, receiver: Recorder) -> None:
        key = made(
            ask,
            "/Endpoint",
            endpoint(period={"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}),
        )
        made(ask, "/HealthcareService", service("7", key))

        assert self.send(proxy).status == 200
        assert receiver.calls[-1].base_url == "https://receiver.test/FHIR/R4"

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": "off"},
            {"connectionType": {"code": "ihe-xds"}},
            {"payloadType": [{"coding": [{"code": "any"}]}]},
            {"period": {"end": "2026-01-01T00:00:00Z"}},
            {"period": {"start": "2027-01-01T00:00:00Z"}},
            {"period": {"start": "soon"}},
        ],
        ids=["off", "connection", "payload", "over", "not-yet", "unreadable"],
    )
    def test_none_is_not_found(self, ask: Ask, proxy: CallProxy, changes: dict[str, Any]) -> None:
        made(ask, "/HealthcareService", service("7", made(ask, "/Endpoint", endpoint(**changes))))
        assert self.send(proxy).outcome == (404, "PROXY_NOT_FOUND", "not-found")

    def test_an_inactive_service_is_not_found(self, ask: Ask, proxy: CallProxy) -> None:
        made(ask, "/HealthcareService", service("7", made(ask, "/Endpoint", endpoint()), active=False))
        assert self.send(proxy).outcome == (404, "PROXY_NOT_FOUND", "not-found")

    def test_several_are_too_many(self, ask: Ask, proxy: CallProxy) -> None:
        keys = [made(ask, "/Endpoint", endpoint(address=f"https://{name}.test")) for name in ("one", "two")]
        made(ask, "/HealthcareService", service("7", *keys))
        assert self.send(proxy).outcome == (404, "NOT_FOUND", "multiple-matches")

    def test_the_routes_come_first(self, ask: Ask, proxy: CallProxy, receiver: Recorder) -> None:
        made(
            ask,
            "/HealthcareService",
            service("2000099001", made(ask, "/Endpoint", endpoint(address="https://x.test"))),
        )
        self.send(proxy, "2000099001")
        assert receiver.calls[-1].base_url == "https://receiver.test/FHIR/R4"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(15, thorough=200)
)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(list(endpoint())), inner, max_size=9)
        ),
        max_leaves=9,
    ),
    path=st.sampled_from(["/Endpoint", "/HealthcareService", "/Endpoint/$template"]),
)
def test_any_body_is_answered(app: WsgiApp, token: str, body: Any, path: str) -> None:
    headers = IDS | {"Authorization": f"Bearer {token}", "NHSD-End-User-Organisation": organisation("A001")}
    whole = {**service("1"), **body, "resourceType": path.split("/")[1]} if isinstance(body, dict) else body
    assert call_app(app, "POST", BASE + path, headers, json.dumps(whole).encode()).status in (200, 400, 409)


def test_the_target_header_is_of_no_use_here(ask: Ask) -> None:
    assert ask("GET", f"/Endpoint/{NEW_ID}", **{"NHSD-Target-Identifier": target("2000099001")}).status == 404
