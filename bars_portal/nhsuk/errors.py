"""Error pages in the house's style; urls.py names them as its handlers."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template import loader

from bars_portal.nhsuk.context import environment_facts

logger = logging.getLogger(__name__)

_LAST_RESORT = (
    '<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>Error - BaRS portal</title></head>'
    "<body><main><h1>Sorry, there is a problem with the portal</h1>"
    "<p>Check the status of your booking before you send it again.</p></main></body></html>"
)


def reference(request: HttpRequest) -> str:
    """The first 8 characters of the correlation id, which the log has in full; "" when there is none yet."""
    return str(getattr(request, "correlation_id", ""))[:8]


def _page(request: HttpRequest, status: int, template: str = "", **context: Any) -> HttpResponse:
    """A page with navigation: may read the signed-in user."""
    context["reference"] = reference(request)
    content = loader.render_to_string(f"errors/{template or status}.jinja", context, request)
    return HttpResponse(content, status=status)


def _static_page(request: HttpRequest, status: int) -> HttpResponse:
    """A page that touches neither database, session nor user: those may be what is broken."""
    context = {
        "reference": reference(request),
        "environment": environment_facts(),
        "version": settings.VERSION,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
    return HttpResponse(loader.render_to_string(f"errors/{status}.jinja", context), status=status)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _static_page(request, 400)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Shows the sentence of a policy's PermissionDenied, which is written for the user."""
    sentence = str(exception) if isinstance(exception, PermissionDenied) else ""
    return _page(request, 403, sentence=sentence)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def handler500(request: HttpRequest) -> HttpResponse:
    try:
        return _static_page(request, 500)
    except Exception:  # the page that reports a failure has nobody left to report to
        logger.exception("The error page itself failed.")
        return HttpResponse(_LAST_RESORT, status=500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """For a view that knows that the portal cannot serve right now."""
    return _static_page(request, 503)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, "403_csrf")
