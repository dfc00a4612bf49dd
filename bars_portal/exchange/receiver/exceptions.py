"""What is answered for an exception: an OperationOutcome, whatever went wrong."""

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from rest_framework.exceptions import MethodNotAllowed

from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.inbound import issue_of, log_failure
from bars_portal.exchange.receiver.renderers import refusal


def issues_of(exc: Exception) -> tuple[Issue, ...]:
    """What to answer for an exception; what is nobody's fault but ours is logged."""
    match exc:
        case OutcomeError():
            return exc.issues
        case MethodNotAllowed():
            return (Issue(OutcomeCode.METHOD_NOT_ALLOWED, "This verb is not served here."),)
        case RequestDataTooBig():
            return (Issue(OutcomeCode.PAYLOAD_TOO_LARGE, "The body is larger than this service takes."),)
        case UnreadablePostError():
            return (Issue(OutcomeCode.TIMEOUT, "The body did not arrive completely and in time."),)
        case DatabaseError():
            return (issue_of(exc),)
    log_failure(exc)
    return (Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."),)


def unknown_path(request: HttpRequest, exception: object = None) -> HttpResponse:
    """handler404 of the receiver."""
    return refusal(request, Issue(OutcomeCode.NOT_FOUND, "There is nothing at this path."))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500 of the receiver: what failed outside every view."""
    return refusal(request, Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."))


def bad_request(request: HttpRequest, exception: object = None) -> HttpResponse:
    """handler400 of the receiver."""
    return refusal(request, Issue(OutcomeCode.INVALID, "The request is malformed."))
