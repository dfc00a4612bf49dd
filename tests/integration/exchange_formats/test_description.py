"""The OpenAPI description says what the receiver serves: no more, no less."""

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import URLPattern
from jsonschema_rs import Draft202012Validator

from bars_portal.exchange import registry
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, operation_outcome
from bars_portal.exchange.fhir.queries.patients import AppointmentQuery, ServiceRequestQuery
from bars_portal.exchange.fhir.queries.services import DefinitionQuery, SlotQuery
from bars_portal.exchange.receiver import urls
from bars_portal.exchange.receiver.schema import describe
from bars_portal.exchange.transport.headers import decode_headers
from tests.integration.exchange_formats.conftest import Partner

SERVICE = ServiceID("2000099999")
FORMATS = {"application/fhir+json", "application/fhir+xml"}
# Nobody answers this: there is nothing that a receiver could leave out.
NEVER = {OutcomeCode.NOT_IMPLEMENTED.status}
# Answered where nothing is described: another verb.
ELSEWHERE = {OutcomeCode.METHOD_NOT_ALLOWED.status}
PARSERS: dict[str, Callable[[Any], Any]] = {
    "/MessageDefinition": DefinitionQuery.parse,
    "/Slot": SlotQuery.parse,
    "/Appointment": AppointmentQuery.parse,
    "/ServiceRequest": ServiceRequestQuery.parse,
}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def description() -> Json:
    return describe(service_id=SERVICE)


def operations(description: Json) -> dict[tuple[str, str], Json]:
    return {
        (path, verb): operation
        for path, verbs in description["paths"].items()
        for verb, operation in verbs.items()
    }


def parameters(operation: Json, place: str) -> dict[str, Json]:
    return {each["name"]: each for each in operation["parameters"] if each["in"] == place}


def example_of(parameter: Json) -> Any:
    (example,) = parameter["examples"].values()
    return example["value"]


def test_it_is_valid_openapi(description: Json) -> None:
    # Every process that collects tests would read it for two of them, and it is large.
    import schemathesis

    schemathesis.openapi.from_dict(description).validate()


def test_every_operation_can_be_generated_from(description: Json) -> None:
    import schemathesis
    from schemathesis.core.result import Ok

    found = list(schemathesis.openapi.from_dict(description).get_all_operations())

    assert len(found) == len(operations(description))
    assert [each for each in found if not isinstance(each, Ok)] == []


def test_every_path_is_described_and_nothing_else(description: Json) -> None:
    served = [each for each in urls.operations if isinstance(each, URLPattern)]
    described = [path.replace("{resource_id}", str(uuid4())).lstrip("/") for path in description["paths"]]

    for path in described:
        assert [each for each in served if each.resolve(path)], path
    for pattern in served:
        assert [path for path in described if pattern.resolve(path)], pattern


def test_every_operation_is_served_and_other_verbs_are_not(description: Json, partner: Partner) -> None:
    for path, described in description["paths"].items():
        for verb in ("get", "post", "put", "delete", "patch"):
            answer = partner.send(verb.upper(), path.replace("{resource_id}", str(uuid4())))
            assert (answer.status_code != 405) == (verb in described), (verb, path)
            if verb in described:
                assert str(answer.status_code) in described[verb]["responses"]


def test_every_known_status_is_an_answer_of_some_operation(description: Json) -> None:
    described = {int(status) for each in operations(description).values() for status in each["responses"]}
    known = {code.status for code in OutcomeCode}

    assert known - described == NEVER | ELSEWHERE
    # What is not in the catalogue comes from the server itself.
    assert described - known == {200, 414, 431}


@pytest.mark.parametrize("code", OutcomeCode, ids=lambda each: each.name)
def test_every_outcome_fits_its_schema(code: OutcomeCode, description: Json) -> None:
    outcome = operation_outcome([Issue(code, "In plain words.", ("Bundle",))], outcome_id=str(uuid4()))
    other = next(each for each in OutcomeCode if each.status != code.status)

    assert fits(outcome, f"OperationOutcome{code.status}", description)
    assert not fits(outcome, f"OperationOutcome{other.status}", description)


def fits(resource: Json, schema: str, description: Json) -> bool:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": description["components"]}
    return bool(Draft202012Validator(whole).is_valid(resource))


def test_every_fhir_answer_has_both_formats_and_both_ids(description: Json) -> None:
    for operation in operations(description).values():
        for status, answer in operation["responses"].items():
            if int(status) in (414, 431):
                assert "content" not in answer
            else:
                assert set(answer["content"]) == FORMATS
                assert set(answer["headers"]) == {"X-Request-ID", "X-Correlation-ID"}


@pytest.mark.parametrize("path", PARSERS)
def test_queries_have_exactly_the_parameters_that_are_read(path: str, description: Json) -> None:
    names = set(parameters(description["paths"][path]["get"], "query")) - {"_format"}

    with pytest.raises(OutcomeError, match="A parameter is none of") as told:
        PARSERS[path]([("nobody-knows", "1")])

    listed = next(each.diagnostics for each in told.value.issues if "none of" in each.diagnostics)
    assert names == set(re.sub(r".*none of ", "", listed).rstrip(".").split(", "))


@pytest.mark.parametrize("path", ["/MessageDefinition", "/Slot"])
def test_the_examples_of_a_query_are_right(path: str, description: Json) -> None:
    described = parameters(description["paths"][path]["get"], "query")
    examples = [(name, example_of(each)) for name, each in described.items() if "examples" in each]
    pairs = [
        (name, value)
        for name, example in examples
        for value in (example if isinstance(example, list) else [example])
    ]

    assert PARSERS[path](pairs).service_id == SERVICE


def test_the_examples_of_the_headers_are_right(description: Json) -> None:
    for (_, verb), operation in operations(description).items():
        described = parameters(operation, "header")
        examples = {name: example_of(each) for name, each in described.items()}

        read = decode_headers(examples)

        assert read.target == SERVICE
        assert read.organisation and read.software and read.practitioner
        assert (read.use_context is not None) == (verb == "post")
        for name, each in described.items():
            if "pattern" in each["schema"]:
                assert re.fullmatch(each["schema"]["pattern"], examples[name]), name
            assert each.get("required", False) == (name in ("X-Request-ID", "X-Correlation-ID"))


def test_every_operation_needs_the_certificate(description: Json) -> None:
    assert description["components"]["securitySchemes"] == {"mutualTLS": {"type": "mutualTLS"}}
    assert all(each["security"] == [{"mutualTLS": []}] for each in operations(description).values())


def test_the_body_knows_every_registered_message_type(description: Json) -> None:
    body = description["paths"]["/$process-message"]["post"]["requestBody"]["content"]
    header = body["application/fhir+json"]["schema"]["properties"]["entry"]["prefixItems"][0]
    fields = header["properties"]["resource"]["properties"]

    kinds = registry.message_types()
    assert set(body) == FORMATS
    assert set(fields["eventCoding"]["properties"]["code"]["enum"]) == {each.event for each in kinds}
    assert set(fields["definition"]["enum"]) == {each.definition for each in kinds}


def test_the_example_of_a_body_is_refused_for_what_it_lacks(description: Json, partner: Partner) -> None:
    example = description["paths"]["/$process-message"]["post"]["requestBody"]["content"][
        "application/fhir+json"
    ]

    answer = partner.post(json.dumps(example["examples"]["Header"]["value"]).encode())

    assert answer.status_code == 400


def test_the_command_prints_or_writes_the_same(tmp_path: Path) -> None:
    printed, file = StringIO(), tmp_path / "openapi.json"

    call_command("describe_receiver", "--service", "77", stdout=printed)
    call_command("describe_receiver", "--service", "77", "--output", str(file))

    assert (
        json.loads(printed.getvalue()) == json.loads(file.read_text()) == describe(service_id=ServiceID("77"))
    )
    with pytest.raises(CommandError, match="digits"):
        call_command("describe_receiver", "--service", "seven")
