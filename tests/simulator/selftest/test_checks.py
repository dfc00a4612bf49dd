"""Every word of `expect` holds when it should and says what is wrong when it does not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bars_portal.simulator.selftest.checks import CHECKS, Answer, judge
from bars_portal.simulator.selftest.messages import Values
from bars_portal.simulator.selftest.model import Exchange

ID = "4d65ddaa-4d09-41cd-87c9-aeb9c0c96352"
CODING = {
    "system": "https://fhir.nhs.uk/CodeSystem/http-error-codes",
    "code": "REC_CONFLICT",
    "display": "409 - REC_CONFLICT",
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "duplicate",
            "details": {"coding": [CODING]},
            "diagnostics": "It was processed",
            "expression": ["http.X-Request-ID"],
        }
    ],
}
SLOTS = {
    "resourceType": "Bundle",
    "type": "searchset",
    "total": 2,
    "entry": [
        {
            "fullUrl": f"urn:uuid:{ID}",
            "resource": {
                "resourceType": "Slot",
                "id": ID,
                "status": "free",
                "start": "2026-07-01T10:00:00+01:00",
            },
        },
        {
            "resource": {
                "resourceType": "Slot",
                "id": "2",
                "status": "busy",
                "start": "2026-07-01T10:00:00+00:00",
            }
        },
    ],
}


def answer(content: Any, status: int = 409, **headers: str) -> Answer:
    sent = {"x-request-id": "A", "x-correlation-id": "B"}
    came = {"content-type": "application/fhir+json", "content-length": "9", **sent}
    came |= {name.replace("_", "-"): value for name, value in headers.items()}
    exchange = Exchange("GET", "/Slot", sent, b"", status, came, json.dumps(content).encode(), 2.0)
    values = Values({}, datetime(2026, 11, 20, tzinfo=UTC), lambda _: {})
    values.requests += [SLOTS]
    values.answers += [SLOTS]
    return Answer(exchange, content, values)


GOOD: list[tuple[Any, dict[str, Any]]] = [
    (OUTCOME, {"status": 409}),
    (OUTCOME, {"status": [409, 425]}),
    (OUTCOME, {"code": "REC_CONFLICT"}),
    (OUTCOME, {"issue": ["duplicate", "conflict"]}),
    (OUTCOME, {"expression": "X-Request-ID"}),
    (OUTCOME, {"outcome": True}),
    (OUTCOME, {"echo": True}),
    (OUTCOME, {"type": "application/fhir+json"}),
    (OUTCOME, {"sized": True}),
    (OUTCOME, {"headers": {"Content-Length": "9"}}),
    (OUTCOME, {"has_headers": ["Content-Type"]}),
    (OUTCOME, {"no_headers": ["Content-Encoding"]}),
    (OUTCOME, {"resource": "OperationOutcome"}),
    (OUTCOME, {"hides": ["DYBALL"]}),
    (OUTCOME, {"within": 5.0}),
    (OUTCOME, {"valid": True}),
    (SLOTS, {"equals": {"Bundle.total": 2}}),
    (SLOTS, {"holds": {"Slot[*].status": "busy"}}),
    (SLOTS, {"lacks": {"Slot[*].status": "busy-unavailable"}}),
    (SLOTS, {"only": {"Slot[*].status": ["free", "busy"]}}),
    (SLOTS, {"free_of": {"@Slot[*].fullUrl": "9658499007"}}),
    (SLOTS, {"once_in_each": {"Slot": {"resourceType": "Slot"}}}),
    (SLOTS, {"present": ["Slot.start"]}),
    (SLOTS, {"absent": ["Slot.identifier"]}),
    (SLOTS, {"count": {"Slot[*]": 2}}),
    (SLOTS, {"counted_by": {"Slot[*]": "Bundle.total"}}),
    (SLOTS, {"uuid": ["Slot.id"]}),
    (SLOTS, {"instant": {"Slot.start": "2026-07-01T09:00:00Z"}}),
    (SLOTS, {"london": ["Slot.start"]}),
    (SLOTS, {"as_sent": {"1": ["Slot[*].status"]}}),
    (SLOTS, {"as_told": {"1": ["Slot[*].status"]}}),
]
BAD: list[tuple[Any, dict[str, Any]]] = [
    (OUTCOME, {"status": 200}),
    (OUTCOME, {"code": "REC_BAD_REQUEST"}),
    (OUTCOME, {"issue": "conflict"}),
    (SLOTS, {"issue": "conflict"}),
    (OUTCOME, {"expression": "Patient"}),
    (SLOTS, {"outcome": True}),
    (OUTCOME, {"type": "application/fhir+xml"}),
    (OUTCOME, {"headers": {"Content-Encoding": "gzip"}}),
    (OUTCOME, {"has_headers": ["Allow"]}),
    (OUTCOME, {"no_headers": ["Content-Type"]}),
    (OUTCOME, {"resource": "Bundle"}),
    (None, {"resource": "Bundle"}),
    (OUTCOME, {"hides": ["processed"]}),
    (OUTCOME, {"within": 1.0}),
    ({"resourceType": "Patient", "birthDate": "soon"}, {"valid": True}),
    (SLOTS, {"equals": {"Bundle.total": 3}}),
    (SLOTS, {"equals": {"Slot[*].status": "free"}}),
    (SLOTS, {"holds": {"Slot[*].status": "busy-unavailable"}}),
    (SLOTS, {"lacks": {"Slot[*].status": "busy"}}),
    (SLOTS, {"only": {"Slot[*].status": ["free"]}}),
    (SLOTS, {"free_of": {"@Slot[*].fullUrl": ID}}),
    (SLOTS, {"once_in_each": {"Slot": {"status": "free"}}}),
    (SLOTS, {"present": ["Slot.identifier"]}),
    (SLOTS, {"absent": ["Slot.start"]}),
    (SLOTS, {"count": {"Slot[*]": 1}}),
    (SLOTS, {"counted_by": {"Slot[0]": "Bundle.total"}}),
    (SLOTS, {"uuid": ["Slot[*].id"]}),
    (SLOTS, {"uuid": ["Schedule.id"]}),
    (SLOTS, {"instant": {"Slot.start": "2026-07-01T10:00:00Z"}}),
    (SLOTS, {"london": ["Slot[*].start"]}),
    (OUTCOME, {"as_sent": {"1": ["Slot.status"]}}),
    (OUTCOME, {"as_told": {"1": ["Slot.status"]}}),
    (OUTCOME, {"same_as": {"answer": 1}}),
]


@pytest.mark.parametrize(("content", "expected"), GOOD, ids=[str(each[1])[:60] for each in GOOD])
def test_what_is_as_expected(content: Any, expected: dict[str, Any]) -> None:
    assert judge(answer(content), expected) == ()


@pytest.mark.parametrize(
    ("content", "expected"), BAD, ids=[f"{n}-{str(each[1])[:50]}" for n, each in enumerate(BAD)]
)
def test_what_is_not_as_expected_is_told(content: Any, expected: dict[str, Any]) -> None:
    (finding, *_) = judge(answer(content), expected)

    assert finding


def test_every_word_is_proved_both_ways() -> None:
    wanted = set(CHECKS) - {"same_as", "echo", "sized"}
    assert {word for _, expected in GOOD for word in expected} >= wanted
    assert {word for _, expected in BAD for word in expected} >= wanted


@pytest.mark.parametrize("told", ["", "a", "C"])
def test_an_id_that_is_not_echoed_to_the_letter(told: str) -> None:
    assert judge(answer(OUTCOME, x_request_id=told), {"echo": True})


def test_a_blank_before_the_parameters_of_a_type() -> None:
    wrong = answer(OUTCOME, content_type="application/fhir+json ; version=1.1.0")

    assert judge(wrong, {"type": "application/fhir+json"})


def test_the_same_answer_but_for_what_may_differ() -> None:
    other = json.loads(json.dumps({"resourceType": "Slot", "id": ID, "status": "free"}))
    one = answer(other | {"status": "busy", "start": "2026-07-01T10:00:00Z", "end": "2026-07-01T11:00:00Z"})
    one.values.answers[:] = [other | {"start": "2026-07-01T10:00:00Z", "end": "2026-07-01T11:00:00Z"}]
    reference = {"schedule": {"reference": "Schedule/1"}}
    for each in (one.content, one.values.answers[0]):
        assert each is not None
        each |= reference

    assert judge(one, {"same_as": {"answer": 1}})
    assert judge(one, {"same_as": {"answer": 1, "but_for": ["Slot.status"]}}) == ()
