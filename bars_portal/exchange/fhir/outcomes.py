"""The OperationOutcome catalogue in one table, its exception, builder and lenient reader.

Source: api.md section 4 and standard.md sections 5 to 8 of the shared notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import orjson

ERROR_CODE_SYSTEM = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
OUTCOME_PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"


class OutcomeCode(Enum):
    """Everything a receiver may answer: HTTP status, code in http-error-codes, FHIR issue type."""

    INVALID = (400, "REC_BAD_REQUEST", "invalid")
    REQUIRED = (400, "REC_BAD_REQUEST", "required")
    VALUE = (400, "REC_BAD_REQUEST", "value")
    INVARIANT = (400, "REC_BAD_REQUEST", "invariant")
    NOT_SUPPORTED = (400, "REC_BAD_REQUEST", "not-supported")
    UNAUTHORIZED = (401, "REC_UNAUTHORIZED", "security")
    # The proxy replaces what a 403 says, so a caller without access to a service is told by this one.
    NOT_PERMITTED = (401, "REC_UNAUTHORIZED", "forbidden")
    FORBIDDEN = (403, "REC_FORBIDDEN", "forbidden")
    NOT_FOUND = (404, "REC_NOT_FOUND", "not-found")
    METHOD_NOT_ALLOWED = (405, "REC_METHOD_NOT_ALLOWED", "not-supported")
    NOT_ACCEPTABLE = (406, "REC_NOT_ACCEPTABLE", "processing")
    TIMEOUT = (408, "REC_TIMEOUT", "timeout")
    CONFLICT = (409, "REC_CONFLICT", "conflict")
    # Only for a message that was already processed: senders take it as delivered.
    DUPLICATE = (409, "REC_CONFLICT", "duplicate")
    PAYLOAD_TOO_LARGE = (413, "REC_BAD_REQUEST", "too-long")
    UNSUPPORTED_MEDIA_TYPE = (415, "REC_BAD_REQUEST", "not-supported")
    VERSION_NOT_SUPPORTED = (422, "REC_UNPROCESSABLE_ENTITY", "not-supported")
    TOO_COSTLY = (422, "REC_UNPROCESSABLE_ENTITY", "too-costly")
    UNPROCESSABLE = (422, "REC_UNPROCESSABLE_ENTITY", "processing")
    TOO_EARLY = (425, "REC_TOO_EARLY", "duplicate")
    TOO_MANY_REQUESTS = (429, "REC_TOO_MANY_REQUESTS", "throttled")
    SERVER_ERROR = (500, "REC_SERVER_ERROR", "exception")
    NO_STORE = (500, "REC_SERVER_ERROR", "no-store")
    NOT_IMPLEMENTED = (501, "REC_NOT_IMPLEMENTED", "not-supported")
    UNAVAILABLE = (503, "REC_SERVICE_UNAVAILABLE", "transient")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def code(self) -> str:
        return self.value[1]

    @property
    def issue(self) -> str:
        return self.value[2]

    @property
    def is_senders_fault(self) -> bool:
        """What is too slow, fails or is away here is our own."""
        return self.status < 500 and self is not OutcomeCode.TIMEOUT


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: diagnostics in plain words without patient data, expression as FHIRPath."""

    code: OutcomeCode
    diagnostics: str
    expression: tuple[str, ...] = ()
    rule: str = ""
    warning: bool = False


class OutcomeError(Exception):
    """A request is refused; the first issue decides the status. Its text is the diagnostics."""

    def __init__(self, *issues: Issue) -> None:
        if not issues:
            raise ValueError("An OutcomeError needs an issue")
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues: tuple[Issue, ...] = issues

    @property
    def status(self) -> int:
        return self.issues[0].code.status


def fault(code: OutcomeCode, diagnostics: str, *expression: str) -> OutcomeError:
    """An OutcomeError with one issue, ready to raise."""
    return OutcomeError(Issue(code, diagnostics, tuple(expression)))


@contextmanager
def named(rule: str) -> Iterator[None]:
    """What refuses in here says that it was this rule, where it does not name one itself."""
    try:
        yield
    except OutcomeError as refusal:
        refusal.issues = broken(refusal.issues, rule)
        raise


def broken(issues: Iterable[Issue], rule: str) -> tuple[Issue, ...]:
    """The issues, those without a rule as breaches of this one."""
    return tuple(each if each.rule else replace(each, rule=rule) for each in issues)


def operation_outcome(issues: Sequence[Issue], *, outcome_id: str, receiver: str = "") -> dict[str, Any]:
    """The OperationOutcome resource for `issues`, which is not empty and has the decisive one first.

    `receiver`: its ODS code, which diagnostics begin with: the sender's own log holds those of many.
    """
    return {
        "resourceType": "OperationOutcome",
        "id": outcome_id,
        "meta": {"profile": [OUTCOME_PROFILE]},
        "issue": [_issue(issue, receiver) for issue in issues],
    }


def _issue(issue: Issue, receiver: str) -> dict[str, Any]:
    code = issue.code
    coding = {
        "system": ERROR_CODE_SYSTEM,
        "code": code.code,
        "display": f"{code.status} - {code.code}",
    }
    built: dict[str, Any] = {
        "severity": "warning" if issue.warning else "error",
        "code": code.issue,
        "details": {"coding": [coding]},
        "diagnostics": f"{receiver}: {issue.diagnostics}" if receiver else issue.diagnostics,
    }
    if issue.expression:
        built["expression"] = list(issue.expression)
    return built


@dataclass(frozen=True, slots=True)
class ReadIssue:
    """One issue of somebody else's OperationOutcome; whatever was missing or odd is an empty text."""

    severity: str
    issue: str
    system: str
    code: str
    diagnostics: str


def read_outcome(body: bytes) -> tuple[ReadIssue, ...]:
    """Read an answer leniently: numeric codes, foreign systems, no display; () when it is no outcome."""
    try:
        parsed = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(parsed, dict) or parsed.get("resourceType") != "OperationOutcome":
        return ()
    return tuple(_read(issue) for issue in _dicts(parsed.get("issue")))


def _read(issue: dict[str, Any]) -> ReadIssue:
    details = issue.get("details")
    coding = next(_dicts(details.get("coding")), {}) if isinstance(details, dict) else {}
    return ReadIssue(
        severity=_text(issue.get("severity")),
        issue=_text(issue.get("code")),
        system=_text(coding.get("system")),
        code=_text(coding.get("code")),
        diagnostics=_text(issue.get("diagnostics")),
    )


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    items: Iterable[object] = value if isinstance(value, list) else (value,)
    return (item for item in items if isinstance(item, dict))


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value)
