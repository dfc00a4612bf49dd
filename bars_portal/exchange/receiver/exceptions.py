"""DRF's exception handler of the receiver: whatever went wrong, the answer is an OperationOutcome."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import UnreadablePostError
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, UnsupportedMediaType

from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.inbound import issue_of, log_failure
from bars_portal.exchange.receiver.renderers import OutcomeResponse


def outcome_response(exc: Exception, context: dict[str, Any]) -> OutcomeResponse:
    return OutcomeResponse(*issues_of(exc))


def issues_of(exc: Exception) -> tuple[Issue, ...]:
    """What to answer for an exception; what is nobody's fault but ours is logged."""
    match exc:
        case OutcomeError():
            return exc.issues
        case AuthenticationFailed():
            return (Issue(OutcomeCode.FORBIDDEN, "The client certificate may not use this service."),)
        case MethodNotAllowed():
            return (Issue(OutcomeCode.METHOD_NOT_ALLOWED, "This verb is not served here."),)
        case UnsupportedMediaType():
            return (
                Issue(
                    OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
                    "Content-Type must be application/fhir+json or application/fhir+xml, in UTF-8.",
                    ("http.Content-Type",),
                ),
            )
        case RequestDataTooBig():
            return (Issue(OutcomeCode.PAYLOAD_TOO_LARGE, "The body is larger than this service takes."),)
        case UnreadablePostError():
            return (Issue(OutcomeCode.TIMEOUT, "The body did not arrive completely and in time."),)
        case DatabaseError():
            return (issue_of(exc),)
    log_failure(exc)
    return (Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."),)
