"""The test world as tables (tables/*.csv), read once: what provokes which answer. Add rows, not code.

Before them the errors that TKW, as a receiver, answers with. Source: api.md section 4, REC_ rows.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TypeVar

from bars_portal.simulator.fhir import Resource, operation_outcome

ERROR_CODES = "https://fhir.nhs.uk/CodeSystem/http-error-codes"


class ReceiverError(Enum):
    """HTTP status, details code, issue code, diagnostics."""

    BAD_BODY = (400, "REC_BAD_REQUEST", "invalid", "The body must be a FHIR message Bundle with a focus.")
    BAD_WORKFLOW = (
        400,
        "REC_BAD_REQUEST",
        "invariant",
        "This combination of event, reason and status is unknown.",
    )
    NOT_OUT_OF_AREA = (
        400,
        "REC_BAD_REQUEST",
        "invariant",
        "This service takes out-of-area referrals only: use case a6t1, a6t2 or a6t3, CarePlan active, "
        "Encounter of class EMER that is triaged, in progress or finished.",
    )
    NOT_ONE_PLACE = (
        400,
        "REC_BAD_REQUEST",
        "invariant",
        "The Location of a validation request says where in exactly one way, or by UPRN and address.",
    )
    REFUSED = (400, "REC_BAD_REQUEST", "invariant", "The message was refused.")
    NO_BOOKING = (400, "REC_BAD_REQUEST", "invariant", "The booking this request relates to does not exist.")
    NO_REFERRAL = (
        400,
        "REC_BAD_REQUEST",
        "invariant",
        "The referral this request relates to does not exist.",
    )
    MISSING = (400, "REC_BAD_REQUEST", "required", "A required parameter is missing.")
    BAD_VALUE = (400, "REC_BAD_REQUEST", "value", "A parameter or identifier has the wrong form.")
    BAD_VALIDATION_ID = (400, "REC_BAD_REQUEST", "invariant", "X-Request-Id of a validation is no UUID.")
    UNAUTHORIZED = (401, "REC_UNAUTHORIZED", "security", "Access to this service is not allowed.")
    NOT_FOUND = (404, "REC_NOT_FOUND", "not-found", "There is no such resource.")
    METHOD_NOT_ALLOWED = (405, "REC_METHOD_NOT_ALLOWED", "not-supported", "This method is not allowed here.")
    TIMEOUT = (408, "REC_TIMEOUT", "timeout", "The request took too long.")
    CONFLICT = (409, "REC_CONFLICT", "conflict", "What is asked for is no longer free.")
    BOOKING_EXISTS = (409, "REC_CONFLICT", "conflict", "The booking already exists.")
    REFERRAL_EXISTS = (409, "REC_CONFLICT", "conflict", "The referral already exists.")
    NOT_LINKED = (409, "REC_CONFLICT", "conflict", "The referral is not linked to the correct booking.")
    MEDIA_TYPE = (
        415,
        "REC_BAD_REQUEST",
        "not-supported",
        "Send application/fhir+json or application/fhir+xml.",
    )
    UNPROCESSABLE = (422, "REC_UNPROCESSABLE_ENTITY", "processing", "The message cannot be processed.")
    TOO_MANY = (429, "REC_TOO_MANY_REQUESTS", "throttled", "Too many requests.")
    SERVER_ERROR = (500, "REC_SERVER_ERROR", "exception", "Something went wrong here.")
    NOT_IMPLEMENTED = (501, "REC_NOT_IMPLEMENTED", "not-supported", "This is not implemented.")
    UNAVAILABLE = (503, "REC_SERVICE_UNAVAILABLE", "transient", "The service is not available.")


# What a row of the tables means by its HTTP status.
BY_STATUS = {
    400: ReceiverError.REFUSED,
    401: ReceiverError.UNAUTHORIZED,
    404: ReceiverError.NOT_FOUND,
    405: ReceiverError.METHOD_NOT_ALLOWED,
    408: ReceiverError.TIMEOUT,
    409: ReceiverError.CONFLICT,
    422: ReceiverError.UNPROCESSABLE,
    429: ReceiverError.TOO_MANY,
    500: ReceiverError.SERVER_ERROR,
    501: ReceiverError.NOT_IMPLEMENTED,
    503: ReceiverError.UNAVAILABLE,
}
# What a cell of the stateful table means by its word.
BY_REASON = {
    "no-booking": ReceiverError.NO_BOOKING,
    "no-referral": ReceiverError.NO_REFERRAL,
    "booking-exists": ReceiverError.BOOKING_EXISTS,
    "referral-exists": ReceiverError.REFERRAL_EXISTS,
    "not-linked": ReceiverError.NOT_LINKED,
}


class Rejected(Exception):
    """TKW refuses the request; `scenario` names the row that says so ("" where the request is just wrong)."""

    def __init__(self, error: ReceiverError, scenario: str = "") -> None:
        super().__init__(error.name)
        self.error = error
        self.scenario = scenario


def refusal(error: ReceiverError) -> tuple[int, Resource]:
    """HTTP status and OperationOutcome."""
    status, code, issue, diagnostics = error.value
    coding = {"system": ERROR_CODES, "code": code, "display": f"{status} - {code}"}
    return status, operation_outcome(issue, coding, diagnostics)


FOLDER = Path(__file__).parent / "tables"
ANY = "any"
T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """One row of scenarios.csv. The first row of its `request` whose sentinel fits decides.

    `sentinel` says what is looked at: target (service id of the header), context, service (of a slot
    search), patient (NHS number), no-nhs-number, id (of the resource read) or any. `answer` is the HTTP
    status; `gives` the id or the kind of content, `reply` what is sent later (of replies.py),
    `checks` what a message must also fulfil; each may be empty.
    """

    name: str
    editions: tuple[str, ...]
    suite: str
    application: str
    request: str
    sentinel: str
    value: str
    answer: int
    gives: str
    reply: str
    checks: str

    def fits(self, facts: Mapping[str, frozenset[str]]) -> bool:
        """Whether a request with these facts (sentinel to values) is meant."""
        return self.sentinel == ANY or self.value in facts.get(self.sentinel, frozenset())


@dataclass(frozen=True)
class Service:
    """A UserTest service that TKW plays."""

    service: str
    name: str
    postcode: str


@dataclass(frozen=True)
class TestPatient:
    """A published test patient; `born` is an ISO date, `gender` FHIR's code."""

    __test__ = False
    nhs_number: str
    family: str
    given: str
    born: str
    gender: str
    postcode: str


@dataclass(frozen=True)
class Focus:
    """What a message definition says of one resource type: profile, min, max."""

    definition: str
    version: str
    event: str
    resource: str
    min: str
    max: str
    profile: str


@dataclass(frozen=True)
class Accepted:
    """A definition that services of a profile take, for these use cases."""

    profile: str
    definition: str
    use_cases: tuple[str, ...]


@cache
def scenarios() -> tuple[Scenario, ...]:
    """The rows in the order in which they are tried."""
    return tuple(
        Scenario(**row | {"editions": tuple(row["editions"].split()), "answer": int(row["answer"])})  # type: ignore[arg-type]  # both are converted here
        for row in _rows("scenarios")
    )


@cache
def services() -> Mapping[str, Service]:
    """By service id."""
    return {row["service"]: Service(**row) for row in _rows("services")}


@cache
def patients() -> tuple[TestPatient, ...]:
    """The test patients."""
    return tuple(TestPatient(**row) for row in _rows("patients"))


@cache
def focuses(definition: str) -> tuple[Focus, ...]:
    """What the definition says of each resource type."""
    return tuple(Focus(**row) for row in _rows("definitions") if row["definition"] == definition)


@cache
def accepted(profile: str) -> tuple[Accepted, ...]:
    """The definitions that services of a profile take."""
    return tuple(
        Accepted(profile, row["definition"], tuple(row["use_cases"].split()))
        for row in _rows("profiles")
        if row["profile"] == profile
    )


@cache
def transitions() -> Mapping[tuple[str, str], tuple[int, str]]:
    """(event, state) to HTTP status and the next state, or the reason of a refusal."""
    cells = {
        (row["event"], state): cell.partition(" ")[::2]
        for row in _rows("stateful")
        for state, cell in row.items()
        if state != "event"
    }
    return {key: (int(status), word) for key, (status, word) in cells.items()}


@cache
def displays() -> Mapping[tuple[str, str], str]:
    """System and code to what the code system calls it, of every code that is written here."""
    return {(row["system"], row["code"]): row["display"] for row in _rows("codes")}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def decide(request: str, *more: str, facts: Mapping[str, Iterable[str]]) -> Scenario:
    """The first row of the request's kind (then of the kinds after it) that fits. Raises Rejected.

    `facts` maps a sentinel (target, patient ...) to the values that the request shows.
    """
    shown = {sentinel: frozenset(values) for sentinel, values in facts.items()}
    row = next(
        row for kind in (request, *more) for row in scenarios() if row.request == kind and row.fits(shown)
    )
    if row.answer != 200:
        raise Rejected(BY_STATUS[row.answer], row.name)
    return row
