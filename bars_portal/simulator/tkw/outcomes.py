"""The errors that TKW, as a receiver, answers with. Source: api.md section 4, REC_ rows."""

import uuid
from enum import Enum
from typing import Any

ERROR_CODES = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
OUTCOME_PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"


class ReceiverError(Enum):
    """HTTP status, details code, issue code, diagnostics."""

    BAD_BODY = (400, "REC_BAD_REQUEST", "invalid", "The body must be a FHIR message Bundle with a focus.")
    BAD_WORKFLOW = (
        400,
        "REC_BAD_REQUEST",
        "invariant",
        "This combination of event, reason and status is unknown.",
    )
    MISSING = (400, "REC_BAD_REQUEST", "required", "A required parameter is missing.")
    BAD_VALUE = (400, "REC_BAD_REQUEST", "value", "A parameter or identifier has the wrong form.")
    UNAUTHORIZED = (401, "REC_UNAUTHORIZED", "security", "Access to this service is not allowed.")
    NOT_FOUND = (404, "REC_NOT_FOUND", "not-found", "There is no such resource.")
    METHOD_NOT_ALLOWED = (405, "REC_METHOD_NOT_ALLOWED", "not-supported", "This method is not allowed here.")
    TIMEOUT = (408, "REC_TIMEOUT", "timeout", "The request took too long.")
    CONFLICT = (409, "REC_CONFLICT", "conflict", "The slot is not free.")
    MEDIA_TYPE = (415, "REC_BAD_REQUEST", "not-supported", "Send application/fhir+json.")
    UNPROCESSABLE = (422, "REC_UNPROCESSABLE_ENTITY", "processing", "The message cannot be processed.")
    NOT_IMPLEMENTED = (501, "REC_NOT_IMPLEMENTED", "not-supported", "This is not implemented.")


class Rejected(Exception):
    """TKW refuses the request."""

    def __init__(self, error: ReceiverError) -> None:
        super().__init__(error.name)
        self.error = error


def operation_outcome(error: ReceiverError) -> tuple[int, dict[str, Any]]:
    """HTTP status and OperationOutcome."""
    status, code, issue, diagnostics = error.value
    coding = {"system": ERROR_CODES, "code": code, "display": f"{status} - {code}"}
    return status, {
        "resourceType": "OperationOutcome",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [OUTCOME_PROFILE]},
        "issue": [
            {"severity": "error", "code": issue, "details": {"coding": [coding]}, "diagnostics": diagnostics}
        ],
    }
