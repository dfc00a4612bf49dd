"""The committed table is what the library says now, and agrees with the published definition of R4."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bars_portal.exchange.fhir.xml.table import TABLE_FILE, facts_of, is_resource
from tests.unit.exchange_fhir_xml.generate import render, table

BARS_TYPES = [
    "Appointment",
    "Bundle",
    "CapabilityStatement",
    "CarePlan",
    "Communication",
    "Condition",
    "Consent",
    "Encounter",
    "Flag",
    "HealthcareService",
    "Location",
    "Medication",
    "MedicationStatement",
    "MessageDefinition",
    "MessageHeader",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "QuestionnaireResponse",
    "RelatedPerson",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Task",
    "Address",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "HumanName",
    "Identifier",
    "Meta",
    "Narrative",
    "Period",
    "Quantity",
    "Reference",
    "Signature",
    "Timing",
]


def test_the_file_is_up_to_date() -> None:
    assert TABLE_FILE.read_text(encoding="utf-8") == render(table())


def test_abstract_types_are_no_resources() -> None:
    assert is_resource("Patient")
    assert not any(map(is_resource, ("Resource", "DomainResource", "Element", "Extension", None, 7)))


@pytest.fixture(scope="module")
def published(shared_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        gzip.decompress((shared_dir / "tools/fhir_r4_core.json.gz").read_bytes())
    )
    return content["types"]  # type: ignore[no-any-return]  # JSON


@pytest.mark.parametrize("name", BARS_TYPES)
def test_order_and_cardinality_are_those_of_r4(published: dict[str, Any], name: str) -> None:
    ours = [(each.name, each.many) for each in facts_of(name).by_name.values()]
    assert ours == [each for row in published[name][1:] for each in _elements(row)]


def _elements(row: list[Any]) -> list[tuple[str, bool]]:
    _, _, *rest = path = row[0].split(".")
    many = row[3] not in {"0", "1"}
    if rest:
        return []
    if not path[1].endswith("[x]"):
        return [(path[1], many)]
    return [(f"{path[1][:-3]}{kind[0][:1].upper()}{kind[0][1:]}", many) for kind in row[4]]
