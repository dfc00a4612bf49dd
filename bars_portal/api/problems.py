"""Every refusal and failure as application/problem+json (RFC 9457); its `type` is a page of our own docs."""

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
from bars_portal.api.problem_types import PROBLEMS, ProblemType

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


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
