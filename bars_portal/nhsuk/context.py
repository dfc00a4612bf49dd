"""What every page knows about the portal itself."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.nhsuk import navigation

_LABELS = {
    "simulator": "Simulator: not for patients",
    "sandbox": "Sandbox: not for patients",
    "int": "INT: integration test, not for patients",
    "prod": "Live",
}


def environment_facts() -> dict[str, str]:
    """`name` (simulator, sandbox, int, prod), `label` for the bar, `tone` (live or test) for its colour."""
    name = str(settings.BARS["ENVIRONMENT"])
    label = str(settings.ENVIRONMENT_LABEL) or _LABELS.get(name, name.upper())
    live = name == "prod" and not settings.ENVIRONMENT_LABEL
    return {"name": name, "label": label, "tone": "live" if live else "test"}


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Touches the database only through `request.acting`, which middleware has filled."""
    acting = getattr(request, "acting", None)
    return {
        "environment": environment_facts(),
        "version": settings.VERSION,
        "acting": acting,
        "nav_links": navigation.links_for(acting.permissions) if acting else (),
        "idle_limit_seconds": settings.IDLE_LIMIT_SECONDS,
        "idle_warning_seconds": settings.IDLE_WARNING_SECONDS,
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "now": timezone.now(),
    }
