"""Middleware of the portal that belongs to no room."""

import logging
import uuid
from collections.abc import Callable
from math import inf
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from bars_portal import correlation
from bars_portal.metrics.figures import ANSWER_SECONDS, OTHER, method_label, status_label
from bars_portal.nhsuk.pages import too_large
from bars_portal.tracing import span, tell

logger = logging.getLogger(__name__)

_API = "/api/"
GetResponse = Callable[[HttpRequest], HttpResponse]


class AnswerTimeMiddleware:
    """How long each answer took, by the name of its route: a path could be anything, and name anybody."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, method = perf_counter(), method_label(request.method or "")
        with span("answer", method=method) as current:
            response = self.get_response(request)
            match = request.resolver_match
            route = (match.view_name if match else "") or OTHER
            tell(current, route=route, status=response.status_code, correlation_id=correlation.current())
        labels = (route, method, status_label(response.status_code))
        ANSWER_SECONDS.labels(*labels).observe(perf_counter() - began)
        return response


class CorrelationMiddleware:
    """Gives every page view an id: the reference that an error page shows and the log repeats."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.correlation_id = uuid.uuid4()  # type: ignore[attr-defined]  # read by error pages and audit
        correlation.begin(request.correlation_id)  # type: ignore[attr-defined]  # of the line above
        return self.get_response(request)


class BodyLimitMiddleware:
    """Refuses a body that is too large before anything reads it: else it would be on disk before sign-in.

    Files are taken where somebody who is signed in uploads one (UPLOAD_LIMITS, by name of the URL). A server
    reads no more than was announced, and Django takes a body of no announced length for none.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = 0
        if announced > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and announced > self._limit(request):
            logger.warning("A body of %d bytes was refused", announced)
            return too_large(request)
        return self.get_response(request)

    def _limit(self, request: HttpRequest) -> float:
        if request.path_info.startswith(_API):
            # It refuses far less, in a form of its own, and reads nothing of it (bars_portal.api.views).
            return inf
        if not request.user.is_authenticated:
            return 0
        limits = {reverse(name): limit for name, limit in settings.UPLOAD_LIMITS.items()}
        return limits.get(request.path_info, 0)


class PageHeadersMiddleware:
    """Nothing about a patient stays in a browser's cache, no other site may load our pages as its own, none
    of ours asks for a device. Static files never come this way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = (
            "camera=(), display-capture=(), geolocation=(), microphone=()"
        )
        return response
