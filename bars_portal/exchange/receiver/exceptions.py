"""DRF's exception handler of the receiver: whatever went wrong, the answer is an OperationOutcome."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import UnreadablePostError
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, Throttled, UnsupportedMediaType

from bars_portal.exchange.arrival import issue_of, log_failure
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.receiver.renderers import OutcomeResponse

_REFUSALS: dict[type[Exception], Issue] = {
    AuthenticationFailed: Issue(OutcomeCode.FORBIDDEN, "The client certificate may not use this service."),
    Throttled: Issue(
        OutcomeCode.TOO_MANY_REQUESTS, "Too many requests; try again after the time in Retry-After."
    ),
    MethodNotAllowed: Issue(OutcomeCode.METHOD_NOT_ALLOWED, "This verb is not served here."),
    UnsupportedMediaType: Issue(
        OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
        "Content-Type must be application/fhir+json or application/fhir+xml, in UTF-8.",
        ("http.Content-Type",),
    ),
    RequestDataTooBig: Issue(OutcomeCode.PAYLOAD_TOO_LARGE, "The body is larger than this service takes."),
    UnreadablePostError: Issue(OutcomeCode.TIMEOUT, "The body did not arrive completely and in time."),
}


def outcome_response(exc: Exception, context: dict[str, Any]) -> OutcomeResponse:
    """What is nobody's fault but ours is logged."""
    if isinstance(exc, OutcomeError):
        return OutcomeResponse(*exc.issues)
    if isinstance(exc, DatabaseError):
        return OutcomeResponse(issue_of(exc))
    for kind, issue in _REFUSALS.items():
        if isinstance(exc, kind):
            response = OutcomeResponse(issue)
            if isinstance(exc, Throttled):
                response["Retry-After"] = str(exc.wait)  # type: ignore[attr-defined]  # the stubs have no attributes
            return response
    log_failure(exc)
    return OutcomeResponse(Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."))
