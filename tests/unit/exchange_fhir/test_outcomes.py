"""OperationOutcomes: built to the catalogue, read leniently."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.outcomes import (
    Issue,
    OutcomeCode,
    OutcomeError,
    ReadIssue,
    fault,
    operation_outcome,
    read_outcome,
)

ID = "6f1c0d0e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("REQUIRED", (400, "REC_BAD_REQUEST", "required")),
        ("INVARIANT", (400, "REC_BAD_REQUEST", "invariant")),
        ("NOT_FOUND", (404, "REC_NOT_FOUND", "not-found")),
        ("CONFLICT", (409, "REC_CONFLICT", "conflict")),
        ("DUPLICATE", (409, "REC_CONFLICT", "duplicate")),
        ("VERSION_NOT_SUPPORTED", (422, "REC_UNPROCESSABLE_ENTITY", "not-supported")),
        ("TOO_EARLY", (425, "REC_TOO_EARLY", "duplicate")),
    ],
)
def test_the_catalogue_has_the_standards_rows(name: str, row: tuple[int, str, str]) -> None:
    code = OutcomeCode[name]
    assert (code.status, code.code, code.issue) == row


def test_every_row_is_a_receivers_error() -> None:
    assert all(code.code.startswith("REC_") and 400 <= code.status < 600 for code in OutcomeCode)
    assert len({code.value for code in OutcomeCode}) == len(OutcomeCode.__members__)


def test_an_outcome_has_the_decisive_issue_first() -> None:
    first = Issue(OutcomeCode.CONFLICT, "Taken", ("Bundle.entry[1].resource",))
    built = operation_outcome([first, Issue(OutcomeCode.VALUE, "Odd", warning=True)], outcome_id=ID)
    assert built["id"] == ID
    assert built["meta"]["profile"] == ["https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"]
    assert [each["severity"] for each in built["issue"]] == ["error", "warning"]
    coding = built["issue"][0]["details"]["coding"][0]
    assert coding == {
        "system": "https://fhir.nhs.uk/CodeSystem/http-error-codes",
        "code": "REC_CONFLICT",
        "display": "409 - REC_CONFLICT",
    }
    assert built["issue"][0]["expression"] == ["Bundle.entry[1].resource"]
    assert "expression" not in built["issue"][1]


def test_the_first_issue_gives_the_error_its_status() -> None:
    error = fault(OutcomeCode.NOT_FOUND, "No such service", "Bundle.entry[0]")
    assert (error.status, str(error), error.issues[0].expression) == (
        404,
        "No such service",
        ("Bundle.entry[0]",),
    )
    with pytest.raises(ValueError, match="needs an issue"):
        OutcomeError()


@pytest.mark.parametrize(
    ("issue", "read"),
    [
        ({"code": 429, "severity": "error"}, ReadIssue("error", "429", "", "", "")),
        ({"details": {"coding": {"code": "X"}}}, ReadIssue("", "", "", "X", "")),
        ({"details": {"coding": [{"system": "s", "code": "c"}]}}, ReadIssue("", "", "s", "c", "")),
        ({"details": [], "diagnostics": {"a": 1}, "code": True}, ReadIssue("", "", "", "", "")),
    ],
)
def test_foreign_issues_are_read_leniently(issue: object, read: ReadIssue) -> None:
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    assert read_outcome(body) == (read,)


def test_what_was_built_reads_back() -> None:
    built = operation_outcome([Issue(OutcomeCode.TIMEOUT, "Too slow")], outcome_id=ID)
    system = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
    expected = ReadIssue("error", "timeout", system, "REC_TIMEOUT", "Too slow")
    assert read_outcome(json.dumps(built).encode()) == (expected,)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"resourceType":"Bundle"}', b"\xff\xfe"])
def test_another_body_is_no_outcome(body: bytes) -> None:
    assert read_outcome(body) == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["issue", "code", "details", "coding", "severity"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_reading_never_raises(value: object) -> None:
    body = json.dumps({"resourceType": "OperationOutcome", "issue": value}).encode()
    assert isinstance(read_outcome(body), tuple)
