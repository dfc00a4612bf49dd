"""What a receiver says of itself follows from the facts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.profiles import DEFINITIONS, Definition
from bars_portal.exchange.fhir.rules import HostedService, table

from .factory import CANCEL, NEW, ROWS, SERVICE

NOW = datetime(2030, 2, 1, 10, tzinfo=UTC)
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
USAGE = "http://terminology.hl7.org/CodeSystem/usage-context-type"
STATE = "http://terminology.hl7.org/CodeSystem/variant-state"
CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


def statement() -> dict[str, Any]:
    return capability_statement(software="Portal", version="0.1.0", now=NOW, rows=ROWS)


def test_the_statement_names_standard_and_product() -> None:
    built = statement()
    assert (built["fhirVersion"], built["version"]) == ("4.0.1", "1.1.0")
    assert built["software"] == {"name": "Portal", "version": "0.1.0"}
    assert built["messaging"][0]["supportedMessage"] == [
        {"mode": "receiver", "definition": NEW.definition},
        {"mode": "receiver", "definition": CANCEL.definition},
    ]


def test_the_statement_lists_what_is_served() -> None:
    (server,) = statement()["rest"]
    assert server["mode"] == "server"
    assert server["operation"][0]["name"] == "$process-message"
    assert server["security"]["service"]
    assert [each["type"] for each in server["resource"]] == ["MessageDefinition", "Slot", "Appointment"]


@pytest.mark.parametrize("row", ROWS)
def test_a_definition_names_the_service_in_both_forms_once_and_each_use_case(row: Any) -> None:
    found = [entry["resource"] for entry in message_definitions(SERVICE, ROWS, NOW)["entry"]]
    (definition,) = [each for each in found if each["url"] == row.definition]
    contexts = []
    for each in definition["useContext"]:
        (value,) = each["valueCodeableConcept"]["coding"]
        contexts.append((each["code"]["system"], each["code"]["code"], value["system"], value["code"]))
    assert sorted(contexts) == sorted(
        [
            (DOS, "2000099001", STATE, "positive"),
            (USAGE, "workflow", DOS, "2000099001"),
            (USAGE, "workflow", CASES, "a1t1"),
            (USAGE, "workflow", CASES, "a1t2"),
        ]
    )


def test_a_definition_lists_every_allowed_resource_with_its_profile() -> None:
    definition = message_definitions(SERVICE, ROWS, NOW)["entry"][0]["resource"]
    focus = {each["code"]: (each["min"], each["max"]) for each in definition["focus"]}
    assert focus["Organization"] == (2, "*")
    assert focus["Slot"] == (1, "1")
    assert len(focus) == len(DEFINITIONS[NEW.definition].allowed) == 13
    assert all(each["profile"].startswith("https://fhir.") for each in definition["focus"])


@pytest.mark.parametrize(
    ("use_cases", "total"), [((), 2), (("a1t1",), 2), (("a1t1", "a5t1"), 2), (("a5t1",), 0)]
)
def test_a_use_case_narrows_the_definitions(use_cases: tuple[str, ...], total: int) -> None:
    found = message_definitions(SERVICE, ROWS, NOW, use_cases=use_cases)
    assert (found["type"], found["total"], len(found.get("entry", []))) == ("searchset", total, total)


@pytest.mark.parametrize(
    ("asked", "others"),
    [
        (
            ("a1t1",),
            {Definition.REFERRAL_REQUEST, Definition.REQUEST_CANCELLED, Definition.REFERRAL_RESPONSE},
        ),
        (
            ("a4t1",),
            {
                *(Definition.VALIDATION_REQUEST, Definition.REQUEST_CANCELLED),
                *(Definition.VALIDATION_RESPONSE_INTERIM, Definition.VALIDATION_RESPONSE_FULL),
            },
        ),
        (("a5t1",), set()),
        (("a5t1", "a4t2"), set()),
    ],
    ids=["referral", "validation", "not-accepted", "none-accepted"],
)
def test_only_what_the_named_use_cases_reach_is_found(
    asked: tuple[str, ...], others: set[Definition]
) -> None:
    """Of a service that takes referrals and validations; bookings are made in every use case.

    Each definition names all that the service accepts, whatever was asked for.
    """
    service = HostedService(SERVICE.service_id, "RR8", frozenset({"a1t1", "a4t1"}))
    found = message_definitions(service, table.ROWS, NOW, use_cases=asked).get("entry", [])
    bookings = {Definition.BOOKING_REQUEST, Definition.BOOKING_REQUEST_CANCELLED} if others else set()
    assert {each["resource"]["url"] for each in found} == bookings | others
    for each in found:
        values = [one["valueCodeableConcept"]["coding"][0] for one in each["resource"]["useContext"]]
        named = [value["code"] for value in values if value["system"].endswith("/usecases-categories-bars")]
        assert named == ["a1t1", "a4t1"]


def test_a_service_that_accepts_nothing_has_no_definitions() -> None:
    closed = HostedService(SERVICE.service_id, "RR8", frozenset())
    assert message_definitions(closed, ROWS, NOW)["total"] == 0


@pytest.mark.parametrize(
    ("accepted", "others"),
    [
        ({"a1t1"}, {Definition.REFERRAL_REQUEST, Definition.REQUEST_CANCELLED, Definition.REFERRAL_RESPONSE}),
        ({"a6t1"}, {Definition.REFERRAL_REQUEST, Definition.REQUEST_CANCELLED}),
        ({"a4t1"}, {Definition.VALIDATION_REQUEST, Definition.REQUEST_CANCELLED}),
    ],
)
def test_a_service_names_only_what_its_use_cases_reach(accepted: set[str], others: set[str]) -> None:
    service = HostedService(SERVICE.service_id, "RR8", frozenset(accepted))
    found = {each["resource"]["url"] for each in message_definitions(service, table.ROWS, NOW)["entry"]}
    assert found >= {Definition.BOOKING_REQUEST, Definition.BOOKING_REQUEST_CANCELLED} | others
    reached = [row for row in table.ROWS if not row.use_cases or row.use_cases & accepted]
    assert found == {row.definition for row in reached}
    assert found < {row.definition for row in table.ROWS}


def test_ids_are_stable_per_service_and_definition() -> None:
    one, again = (message_definitions(SERVICE, ROWS, NOW)["entry"] for _ in range(2))
    assert [each["resource"]["id"] for each in one] == [each["resource"]["id"] for each in again]
    assert len({each["resource"]["id"] for each in one}) == 2
