"""What the Endpoint Catalogue API says when it refuses. Source: api.md sections 4 and 5."""

import uuid
from enum import Enum

from bars_portal.simulator.outcomes import ERROR_CODES, OUTCOME_PROFILE
from bars_portal.simulator.wire import Answer, Request, json_answer

FHIR_MEDIA = "application/fhir+json;version=1.4.0"


class CatalogueError(Enum):
    """HTTP status, details code, issue code."""

    REQUIRED = (400, "BAD_REQUEST", "required")
    VALUE = (400, "BAD_REQUEST", "value")
    STRUCTURE = (400, "BAD_REQUEST", "structure")
    NOT_OWNER = (403, "SEND_FORBIDDEN", "forbidden")
    NOT_FOUND = (404, "NOT_FOUND", "not-found")
    SEVERAL = (404, "NOT_FOUND", "multiple-matches")
    WRONG_VERB = (405, "PROXY_METHOD_NOT_ALLOWED", "not-supported")
    DUPLICATE = (409, "BAD_REQUEST", "duplicate")


class CatalogueRefused(Exception):
    """This request is answered with an error; the message is its diagnostics."""

    def __init__(self, error: CatalogueError, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.error = error


def refusal_answer(refused: CatalogueRefused, request: Request) -> Answer:
    status, code, issue = refused.error.value
    return _answer(status, "error", issue, code, str(refused), request)


def deleted_answer(request: Request) -> Answer:
    return _answer(200, "information", "informational", "OK", "Resource deleted successfully.", request)


def _answer(status: int, severity: str, issue: str, code: str, diagnostics: str, request: Request) -> Answer:
    outcome = {
        "resourceType": "OperationOutcome",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [OUTCOME_PROFILE]},
        "issue": [
            {
                "severity": severity,
                "code": issue,
                "details": {"coding": [{"system": ERROR_CODES, "code": code}]},
                "diagnostics": diagnostics,
            }
        ],
    }
    return json_answer(status, outcome, *request.sent_ids(), media=FHIR_MEDIA)
