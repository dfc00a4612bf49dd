"""HTTP answers of the receiver: always FHIR in the negotiated format, always with both ids echoed."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeError, operation_outcome
from bars_portal.exchange.message_bytes import deflate
from bars_portal.exchange.receiver.negotiation import error_format, takes_gzip
from bars_portal.exchange.transport.headers import echo_headers

logger = logging.getLogger(__name__)

_SENT = "bars.headers"


def answer(request: HttpRequest, resource: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A resource in the negotiated format."""
    return _respond(request, *_written(resource, error_format(request)), status)


def stored_answer(request: HttpRequest, body: bytes, *, status: int) -> HttpResponse:
    """An answer that was stored as JSON: as it is, or converted when XML is asked for."""
    if error_format(request) is Format.JSON:
        return _respond(request, body, Format.JSON, status)
    return answer(request, json.loads(body), status=status)


def refusal(request: HttpRequest, *issues: Issue) -> HttpResponse:
    """An OperationOutcome; the first issue gives the status."""
    outcome = operation_outcome(issues, outcome_id=str(uuid4()))
    return answer(request, outcome, status=issues[0].code.status)


def headers_of(request: HttpRequest) -> Mapping[str, str]:
    """What was sent, by names in small letters: but for the length and type of the body."""
    # Asked twice a request; Django's own mapping works out the usual spelling of each name.
    found: Mapping[str, str] | None = request.META.get(_SENT)
    if found is None:
        sent = ((name[5:], value) for name, value in request.META.items() if name.startswith("HTTP_"))
        found = request.META[_SENT] = {name.replace("_", "-").lower(): value for name, value in sent}
    return found


def _written(resource: dict[str, Any], wanted: Format) -> tuple[bytes, Format]:
    try:
        return wanted.dumps(resource), wanted
    except OutcomeError:
        # What was done is done: an answer in the other format tells more than a failure.
        # No traceback: it could quote the resource.
        logger.warning("A %s cannot be written as %s", resource.get("resourceType"), wanted)
        return Format.JSON.dumps(resource), Format.JSON


def _respond(request: HttpRequest, body: bytes, written: Format, status: int) -> HttpResponse:
    zipped = takes_gzip(request)
    sent = deflate(body) if zipped else body
    response = HttpResponse(sent, status=status, content_type=written.value)
    response["Content-Length"] = str(len(sent))
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Accept-Encoding"
    if zipped:
        response["Content-Encoding"] = "gzip"
    for name, value in echo_headers(headers_of(request)).items():
        response[name] = value
    return response
