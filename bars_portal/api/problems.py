"""Every refusal and failure as application/problem+json (RFC 9457); its `type` is a page of our own docs.

What can go wrong is one table, by name: answers, the OpenAPI description and the docs follow from it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.forms import Form
from django.http import Http404, HttpRequest, UnreadablePostError
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.response import Response

from bars_portal.accounts.permissions import PolicyRefused

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemType:
    """`meaning` and `remedy` are what its page says; `is_final`: the same request is refused again."""

    name: str
    status: int
    title: str
    meaning: str
    remedy: str
    is_final: bool = False


_TYPES = (
    ProblemType(
        "unusable-request",
        400,
        "The request cannot be read",
        "The body is not JSON, a header cannot be used, or a parameter of the address is not known or not "
        "in its form.",
        "Read detail and errors, mend the request, and send it again.",
    ),
    ProblemType(
        "idempotency-key-missing",
        400,
        "Idempotency-Key is missing",
        "Every POST that changes something needs the header Idempotency-Key: 1 to 255 printable characters, "
        "another one for each thing that you want done. A UUID is right.",
        "Send the request again with the header. Keep the key, and repeat the request with it when no answer "
        "came.",
    ),
    ProblemType(
        "not-authenticated",
        401,
        "No valid access token",
        "The header Authorization has no access token, or one that is over after ten minutes, or the "
        "application was revoked.",
        "Ask for a new token at the token endpoint, and send the request again with the same key.",
    ),
    ProblemType(
        "scope-missing",
        403,
        "The token does not have the scope",
        "Each operation needs a scope. The token was asked for without it, or the application lacks it.",
        "Ask for a token with the scope. When the application lacks it, ask your service manager.",
    ),
    ProblemType(
        "not-allowed",
        403,
        "This may not be done for this person",
        "What may be done is the smaller of the application's scopes and the role in X-Acting-User; "
        "applications state only roles, and act only for services, that their manager chose.",
        "Have it done by somebody whose role allows it, or ask your service manager.",
    ),
    ProblemType(
        "acting-user-missing",
        403,
        "A person has to answer for this",
        "This is done for a person only: the header X-Acting-User is missing.",
        "Send X-Acting-User with name, identifier and role of the person, and whether they are a clinician.",
    ),
    ProblemType(
        "not-found",
        404,
        "There is no such thing",
        "Nothing is at this address, or nothing that this application may know of.",
        "Use ids and addresses as the API gave them to the same organisation.",
    ),
    ProblemType(
        "method-not-allowed",
        405,
        "The verb is not served here",
        "The address exists, but not with this verb.",
        "The header Allow names the verbs.",
    ),
    ProblemType(
        "not-acceptable",
        406,
        "Only JSON is served",
        "The header Accept asks for something else than application/json.",
        "Send Accept: application/json, or leave it out.",
    ),
    ProblemType(
        "slot-gone",
        409,
        "The time is no longer free",
        "The service was asked again just now, and no longer offers the time.",
        "Search again, and let the user choose another time. Use a new Idempotency-Key.",
        is_final=True,
    ),
    ProblemType(
        "slot-not-confirmed",
        409,
        "It is not known whether the time is still free",
        "The service was asked again just now, and did not say. Nothing was booked.",
        "Try again with the same key, or choose another service.",
    ),
    ProblemType(
        "refused",
        409,
        "This cannot be done as things stand",
        "The rules of the portal refuse it; detail says why, in words for the user.",
        "Show detail to the user. Read the resource again to see how it stands.",
        is_final=True,
    ),
    ProblemType(
        "changed-meanwhile",
        409,
        "Somebody else was first",
        "The resource was changed by another request or message at the same moment.",
        "Read it again, and decide anew.",
    ),
    ProblemType(
        "still-running",
        409,
        "The first request with this key is still running",
        "A request with the same Idempotency-Key has begun and has no answer yet.",
        "Wait as long as Retry-After says, and repeat the request with the same key: you get its answer.",
    ),
    ProblemType(
        "cursor-gone",
        410,
        "Events after this cursor are no longer kept",
        "Events are kept for 90 days. To go on from this cursor would leave out some without a word.",
        "List bookings, referrals and cases to learn how they stand, then follow events from after=latest.",
        is_final=True,
    ),
    ProblemType(
        "precondition-failed",
        412,
        "It is no longer what If-Match names",
        "The resource has changed since you read the ETag that If-Match holds. Nothing was done.",
        "Read it again, and decide anew.",
    ),
    ProblemType(
        "if-match-missing",
        428,
        "Say what you read",
        "This is decided on what was read: the header If-Match must hold the ETag that came with it.",
        "Read the resource, show it to the user, and send its ETag in If-Match. The key may stay the same.",
    ),
    ProblemType(
        "too-large",
        413,
        "The body is too large",
        "A body may have 256 kB.",
        "Send less.",
    ),
    ProblemType(
        "unsupported-media-type",
        415,
        "Only JSON is read",
        "The body is sent with another Content-Type than application/json.",
        "Send Content-Type: application/json, in UTF-8.",
    ),
    ProblemType(
        "invalid-fields",
        422,
        "Some fields cannot be accepted",
        "errors names every fault at once: pointer (RFC 6901) says which field of the body, detail is the "
        "sentence that the portal's own form shows.",
        "Show the sentences beside your fields, mend them, and send it again. The key may stay the same.",
    ),
    ProblemType(
        "key-reused",
        422,
        "The key was used for another request",
        "The Idempotency-Key was sent before with another body, address or person.",
        "Use a new key for what is new. To repeat a request, send exactly the same body.",
    ),
    ProblemType(
        "too-many-requests",
        429,
        "Too many requests",
        "The application has used up what it may ask in a minute; RateLimit says how much that is.",
        "Wait as long as Retry-After says.",
    ),
    ProblemType(
        "failed",
        500,
        "The portal failed",
        "A fault of ours, which we have on record under X-Request-ID.",
        "Repeat the request with the same key. When it goes on, tell us the X-Request-ID.",
    ),
    ProblemType(
        "unavailable",
        503,
        "The portal is busy or being restarted",
        "The database did not answer in time.",
        "Repeat the request with the same key after the time in Retry-After.",
    ),
)
PROBLEMS: Mapping[str, ProblemType] = {each.name: each for each in _TYPES}


@dataclass(frozen=True)
class FieldFault:
    """`pointer` leads into the body; `parameter` names one of the address instead, `header` a header."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


class Problem(Exception):
    """Raised anywhere below a view of the API. `detail` quotes nothing that was sent."""

    def __init__(
        self,
        name: str,
        detail: str = "",
        *,
        faults: Iterable[FieldFault] = (),
        retry_after: int | None = None,
    ) -> None:
        self.type = PROBLEMS[name]
        super().__init__(name)
        self.detail, self.faults, self.retry_after = detail or self.type.meaning, tuple(faults), retry_after


class Refused(Problem):
    """A policy's no."""

    def __init__(self, refusal: PolicyRefused) -> None:
        super().__init__("refused", refusal.sentence)


def invalid(faults: Iterable[FieldFault]) -> Problem:
    """All faults at once."""
    found = tuple(faults)
    if any(each.parameter is not None for each in found):
        return Problem("unusable-request", "Parameters of the address cannot be used.", faults=found)
    return Problem("invalid-fields", "Some fields cannot be accepted: see errors.", faults=found)


def unusable_header(name: str, detail: str, *, problem: str = "unusable-request") -> Problem:
    """`detail` is a sentence that names the header, and quotes nothing of it."""
    return Problem(problem, detail, faults=[FieldFault(detail, header=name)])


def faults_of(form: Form, *, at: str = "") -> Iterator[FieldFault]:
    """Every error of a form in its own words; `at` is the pointer of the object that filled it."""
    for name, texts in form.errors.items():
        pointer = at if name == NON_FIELD_ERRORS else f"{at}/{name}"
        yield from (FieldFault(str(text), pointer=pointer) for text in texts)


_BY_EXCEPTION: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "not-authenticated"),
    (exceptions.AuthenticationFailed, "not-authenticated"),
    (exceptions.MethodNotAllowed, "method-not-allowed"),
    (exceptions.NotAcceptable, "not-acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported-media-type"),
    (exceptions.ParseError, "unusable-request"),
    (RequestDataTooBig, "too-large"),
    (UnreadablePostError, "unusable-request"),
    (Http404, "not-found"),
    (PermissionDenied, "not-allowed"),
)
_BUSY_SECONDS = 2


def problem_of(exc: Exception) -> Problem:
    """What nobody expected is logged, by type and place alone."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, PolicyRefused):
        return Refused(exc)
    if isinstance(exc, exceptions.Throttled):
        return Problem("too-many-requests", retry_after=1)
    if isinstance(exc, OperationalError | InterfaceError):
        logger.error("The database did not answer a request of the API", exc_info=exc)
        return Problem("unavailable", retry_after=_BUSY_SECONDS)
    for kind, name in _BY_EXCEPTION:
        if isinstance(exc, kind):
            return Problem(name)
    logger.error("A request of the API failed", exc_info=exc)
    return Problem("failed")


def problem_response(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler."""
    problem = problem_of(exc)
    headers = dict(getattr(exc, "headers", {}))
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(exc, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        headers["WWW-Authenticate"] = str(getattr(exc, "auth_header", "") or "Bearer")
    request = context["request"]
    body = body_of(problem, getattr(request, "_request", request))
    response = Response(body, status=problem.type.status, headers=headers, content_type=CONTENT_TYPE)
    response.problem = problem  # type: ignore[attr-defined]  # read by bars_portal.api.idempotency
    return response


def body_of(problem: Problem, request: HttpRequest) -> dict[str, Any]:
    kind = problem.type
    body: dict[str, Any] = {
        "type": request.build_absolute_uri(address_of(kind)),
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
    }
    if problem.faults:
        body["errors"] = [
            {name: value for name, value in asdict(each).items() if value is not None}
            for each in problem.faults
        ]
    return body


def address_of(kind: ProblemType) -> str:
    return reverse("api:problem", args=[kind.name])
