"""Middleware of the portal that belongs to no room."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class CorrelationMiddleware:
    """Gives every page view an id: the reference that an error page shows and the log repeats."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.correlation_id = uuid.uuid4()  # type: ignore[attr-defined]  # read by error pages and audit
        return self.get_response(request)


class NoStoreMiddleware:
    """Nothing about a patient stays in a browser's cache; static files never come this way."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response
