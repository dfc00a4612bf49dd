import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import Resource
from directory.mapping import healthcare_service_to_fhir, location_to_fhir, organisation_to_fhir
from directory.ports import ServiceFacts
from directory.postcodes import Position
from tests.fhir_check import assert_no_errors

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
BARE = ServiceFacts(
    id=UUID("5088769a-491e-463f-a167-fff78bb472d9"),
    service_id="2000099002",
    name="Riverside Urgent Treatment Centre",
    active=True,
    provider_name="Riverside",
    provider_ods="RRV01",
)
FULL = ServiceFacts(
    id=BARE.id,
    service_id=BARE.service_id,
    name=BARE.name,
    active=False,
    provider_name="Riverside",
    provider_ods="RRV01",
    address_lines=("1 Wharf Street", "Leeds"),
    postcode="LS1 4AP",
    phone="0113 496 0000",
    position=Position(53.79648, -1.547849),
)
LOCATION_ID = "d23eac9a-12e7-46c5-8781-c3c1d9b1d3c5"


def everything(facts: ServiceFacts) -> list[Resource]:
    return [
        healthcare_service_to_fhir(facts, now=NOW),
        location_to_fhir(facts, location_id=LOCATION_ID, now=NOW),
        organisation_to_fhir(
            name=facts.provider_name, ods_code=facts.provider_ods, now=NOW, phone=facts.phone
        ),
    ]


def test_service_says_who_it_is_and_who_provides_it() -> None:
    resource = healthcare_service_to_fhir(FULL, now=NOW)

    assert resource["identifier"] == [
        {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000099002"}
    ]
    assert resource["active"] is False
    assert resource["providedBy"]["identifier"]["value"] == "RRV01"
    assert resource["telecom"] == [{"system": "phone", "value": "0113 496 0000", "use": "work"}]
    assert "location" not in resource


def test_references_point_into_the_bundle() -> None:
    resource = healthcare_service_to_fhir(
        FULL, now=NOW, location_url="urn:uuid:one", provided_by_url="urn:uuid:two"
    )

    assert resource["location"] == [{"reference": "urn:uuid:one"}]
    assert resource["providedBy"] == {"reference": "urn:uuid:two"}


def test_location_tells_the_place_as_far_as_known() -> None:
    full = location_to_fhir(FULL, location_id=LOCATION_ID, now=NOW, name="Room 3")
    bare = location_to_fhir(BARE, location_id=LOCATION_ID, now=NOW)

    assert full["name"] == "Room 3"
    assert full["address"] == {"line": ["1 Wharf Street", "Leeds"], "postalCode": "LS1 4AP"}
    assert full["position"] == {"longitude": -1.547849, "latitude": 53.79648}
    assert bare["name"] == BARE.name
    assert not bare.keys() & {"address", "position", "telecom"}


@given(st.builds(ServiceFacts, postcode=st.sampled_from(["", "LS1 4AP"]), position=st.none()))
def test_nothing_empty_is_ever_written(facts: ServiceFacts) -> None:
    for resource in everything(facts):
        assert all(value not in ("", [], {}) for value in resource.values())


@pytest.mark.parametrize("facts", [BARE, FULL], ids=["bare", "full"])
def test_the_published_profiles_find_no_error(facts: ServiceFacts, shared_dir: Path, tmp_path: Path) -> None:
    for resource in everything(facts):
        (tmp_path / f"{resource['resourceType']}.json").write_text(json.dumps(resource))
    assert_no_errors(shared_dir, tmp_path)
