"""HTTP answers of the receiver: always FHIR, always with both ids echoed."""

from collections.abc import Mapping
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import Issue, operation_outcome
from bars_portal.exchange.transport.headers import echo_headers

FHIR_JSON = "application/fhir+json"


def answer(request: HttpRequest, body: bytes, *, status: int = 200) -> HttpResponse:
    """A body in the negotiated format, with Content-Length and the ids as they were sent."""
    response = HttpResponse(body, status=status, content_type=FHIR_JSON)
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-store"
    for name, value in echo_headers(headers_of(request)).items():
        response[name] = value
    return response


def refusal(request: HttpRequest, *issues: Issue) -> HttpResponse:
    """An OperationOutcome; the first issue gives the status."""
    body = json.dumps(operation_outcome(issues, outcome_id=str(uuid4())))
    return answer(request, body, status=issues[0].code.status)


def headers_of(request: HttpRequest) -> Mapping[str, str]:
    return request.headers
