"""The errors that TKW, as a receiver, answers with. Source: api.md section 4, REC_ rows."""

from enum import Enum

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
