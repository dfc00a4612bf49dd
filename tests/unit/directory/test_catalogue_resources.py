"""HealthcareService and Endpoint as the Endpoint Catalogue API writes them, loose and strict."""

from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.catalogue.entries import AddressRules, BadCatalogue, Catalogue
from directory.catalogue.resources import read_resources

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
SERVICE_KEY = "1fa2f3d4-0000-4000-8000-000000000001"
ENDPOINT_KEY = "1fa2f3d4-0000-4000-8000-0000000000e1"


def owner(code: str) -> dict[str, Any]:
    return {"identifier": {"system": ODS, "value": code}}


def service(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "HealthcareService",
        "id": SERVICE_KEY,
        "identifier": [
            {"system": DOS.replace("https", "http"), "value": "1000099999"},
            {"system": "https://fhir.nhs.uk/Id/product-id", "value": "P-1"},
        ],
        "active": True,
        "name": "Riverside",
        "providedBy": [owner("A001")],
        "endpoint": [{"reference": f"Endpoint/{ENDPOINT_KEY}"}],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def endpoint(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Endpoint",
        "id": ENDPOINT_KEY,
        "status": "active",
        "name": "SupplierProduct",
        "connectionType": {"coding": [{"code": "hl7-fhir-rest"}]},
        "payloadType": [{"coding": [{"code": "bars"}]}],
        "managingOrganization": [owner("A002")],
        "address": "https://receiver.example.nhs.uk/",
        "header": "public",
        "period": {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00+01:00"},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def read(services: list[Any], endpoints: list[Any]) -> Catalogue:
    return read_resources(
        services=services, endpoints=endpoints, organisations=["A001"], addresses=AddressRules()
    )


def test_services_and_endpoints_become_entries() -> None:
    catalogue = read([service()], [endpoint()])

    (entry,), (way,) = catalogue.services, catalogue.endpoints
    assert (entry.service_id, entry.provider, entry.catalogue_id) == ("1000099999", "A001", UUID(SERVICE_KEY))
    assert entry.said == {"active": True, "name": "Riverside"}
    assert (way.service_id, way.managed_by, way.catalogue_id) == ("1000099999", "A002", UUID(ENDPOINT_KEY))
    assert way.said["address"] == "https://receiver.example.nhs.uk"
    assert (way.said["status"], way.said["connection_type"], way.said["payload_type"]) == (
        "active",
        "hl7-fhir-rest",
        "bars",
    )
    assert way.said["period_end"].isoformat() == "2027-01-01T00:00:00+01:00"
    assert catalogue.organisations == frozenset({"A001"})


def test_strict_r4_is_understood_as_well() -> None:
    strict = endpoint(
        connectionType={"code": "hl7-fhir-msg"},
        managingOrganization=owner("A002"),
        header=["private"],
        address=None,
    )
    catalogue = read([service(providedBy=owner("A001"))], [strict])

    assert catalogue.services[0].provider == "A001"
    (way,) = catalogue.endpoints
    assert (way.said["connection_type"], way.managed_by, way.said["private"]) == (
        "hl7-fhir-msg",
        "A002",
        True,
    )
    assert "address" not in way.said, "what is not shown to us is not known, rather than empty"


def test_an_endpoint_may_be_shared() -> None:
    other = service(
        id="1fa2f3d4-0000-4000-8000-000000000002", identifier=[{"system": DOS, "value": "1000099998"}]
    )
    assert [way.service_id for way in read([service(), other], [endpoint()]).endpoints] == [
        "1000099999",
        "1000099998",
    ]


@pytest.mark.parametrize(
    ("status", "kept"), [("suspended", "suspended"), ("error", "suspended"), ("test", "off"), ("off", "off")]
)
def test_only_active_can_be_used(status: str, kept: str) -> None:
    assert read([service()], [endpoint(status=status)]).endpoints[0].said["status"] == kept


@pytest.mark.parametrize(
    ("services", "endpoints", "fault"),
    [
        ([service(id="1")], [], "HealthcareService[0].id: the id is no UUID"),
        ([service(resourceType="Endpoint")], [], "HealthcareService[0].resourceType: this is no"),
        ([service(identifier=[])], [endpoint()], ".identifier: there are 0 DoS service ids"),
        ([service(identifier=[{"system": DOS, "value": "x1"}])], [endpoint()], ".identifier: the DoS"),
        ([service(providedBy=None)], [endpoint()], ".providedBy: no organisation"),
        ([service(active="yes")], [endpoint()], ".active: this is neither"),
        ([service(name="x" * 201)], [endpoint()], ".name: a name has at most 200"),
        ([service(), service(name="Other")], [endpoint()], "this id stands for two different resources"),
        (
            [service(), service(id="1fa2f3d4-0000-4000-8000-000000000002")],
            [endpoint()],
            "service 1000099999 is HealthcareService/1fa2f3d4",
        ),
        ([service()], [], ".endpoint[0]: this endpoint is not in the catalogue"),
        (
            [service(endpoint=[{"reference": f"HealthcareService/{SERVICE_KEY}"}])],
            [],
            ".endpoint[0]: a service refers to a service as its endpoint, which goes round in a circle",
        ),
        ([service()], [endpoint(status="fine")], ".status: this is no status"),
        ([service()], [endpoint(address="http://x")], ".address: an address starts with https://"),
        ([service()], [endpoint(address=None)], ".address: an address is missing"),
        ([service()], [endpoint(period={"start": "2026-01-01"})], ".period.start: this is no time"),
        (
            [service()],
            [endpoint(period={"start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"})],
            ".period: it ends before it starts",
        ),
    ],
)  # fmt: skip
def test_a_bad_answer_is_refused_with_its_path(services: list[Any], endpoints: list[Any], fault: str) -> None:
    with pytest.raises(BadCatalogue) as refused:
        read(services, endpoints)
    assert fault in str(refused.value.faults[0])


@given(st.data())
def test_members_of_any_shape_are_read_or_refused(data: st.DataObject) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "identifier"]), inner)
        ),
        max_leaves=4,
    )
    one, other = deepcopy(service()), deepcopy(endpoint())
    broken = data.draw(st.sampled_from([one, other]))
    broken[data.draw(st.sampled_from(sorted(broken)))] = data.draw(anything)
    try:
        read([one], [other])
    except BadCatalogue as refusal:
        assert refusal.faults
