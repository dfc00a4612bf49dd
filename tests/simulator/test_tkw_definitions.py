"""What TKW's sentinel services say that they take."""

import json
from typing import Any

import pytest

from bars_portal.simulator.config import Config
from tests.simulator.conftest import CallProxy
from tests.simulator.support import SYSTEM

CATCH_ALL = "2000072489"
USE_CASE = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


@pytest.fixture(autouse=True)
def catalogue(config: Config) -> None:
    services = [CATCH_ALL, "2000076289", "2000071898", "2000011147"]
    routes = dict.fromkeys(services, "simulator:tkw")
    config.catalogue_file.write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: routes}}))


def of_type(bundle: Any, kind: str) -> list[Any]:
    return [each["resource"] for each in bundle.get("entry", []) if each["resource"]["resourceType"] == kind]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"context={SYSTEM}|{CATCH_ALL}", 9),
        (f"context={CATCH_ALL}", 9),
        (f"context={SYSTEM}|2000011147&context={USE_CASE}|a1t1", 4),
        (f"context={SYSTEM}%7C2000011147%26context={USE_CASE}%7Ca1t1", 4),
        (f"context={SYSTEM}|{CATCH_ALL}&context={USE_CASE}|a5t1", 2),
        (f"context={SYSTEM}|{CATCH_ALL}&context={USE_CASE}|a9t9", 0),
        (f"context={SYSTEM}|2000076289", 2),
    ],
)
def test_definitions(proxy: CallProxy, query: str, count: int) -> None:
    bundle = proxy("GET", f"/MessageDefinition?{query}", service=CATCH_ALL).json

    assert bundle["total"] == len(of_type(bundle, "MessageDefinition")) == count


def test_definitions_name_the_service_and_the_use_case_once_each(proxy: CallProxy) -> None:
    bundle = proxy("GET", f"/MessageDefinition?context={SYSTEM}|{CATCH_ALL}", service=CATCH_ALL).json

    for definition in of_type(bundle, "MessageDefinition"):
        used = definition["useContext"]
        values = [each["valueCodeableConcept"]["coding"][0] for each in used]
        assert [each["code"]["code"] for each in used].count(CATCH_ALL) == 1
        assert [value["code"] for value in values].count(CATCH_ALL) == 1
        use_cases = [value["code"] for value in values if value["system"] == USE_CASE]
        assert len(use_cases) == len(set(use_cases)) > 0


def test_a_service_with_wrong_definitions(proxy: CallProxy) -> None:
    bundle = proxy("GET", f"/MessageDefinition?context={SYSTEM}|2000071898", service="2000071898").json

    assert all(
        "Invoice" in {each["code"] for each in one["focus"]} for one in of_type(bundle, "MessageDefinition")
    )


@pytest.mark.parametrize(
    ("service", "books"), [(CATCH_ALL, True), ("2000011147", True), ("2000076289", False)]
)
def test_capabilities(proxy: CallProxy, service: str, books: bool) -> None:
    statement = proxy("GET", "/metadata", service=service).json

    kinds = {resource["type"] for resource in statement["rest"][0]["resource"]}
    assert ("Slot" in kinds, "ServiceRequest" in kinds) == (books, True)
    taken = {each["definition"] for each in statement["messaging"][0]["supportedMessage"]}
    assert any(each.endswith("booking-request") for each in taken) == books
