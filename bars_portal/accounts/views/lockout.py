"""After too many failed sign-ins; django-axes calls it (AXES_LOCKOUT_CALLABLE)."""

from collections.abc import Mapping

from axes.helpers import get_cool_off
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked_out(
    request: HttpRequest,
    original_response: HttpResponse | None = None,
    credentials: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page says when to try again; `credentials` is never shown."""
    wait = get_cool_off(request)
    minutes = -(-int(wait.total_seconds()) // 60) if wait else 0
    response = render(request, "accounts/locked_out.jinja", {"minutes": minutes}, status=429)
    if wait:
        response.headers["Retry-After"] = str(int(wait.total_seconds()))
    return response
