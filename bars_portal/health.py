"""Liveness and readiness of the portal; no sign-in, nothing about anybody."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_HEARTBEAT_SECONDS = 45


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Database and migrations; in the demo also the worker's heartbeat and the simulator."""
    checks = {name: check() for name, check in _checks().items()}
    good = all(checks.values())
    words = {name: "ok" if passed else "failing" for name, passed in checks.items()}
    return JsonResponse({"status": "ok" if good else "failing", "checks": words}, status=200 if good else 503)


def _checks() -> dict[str, Callable[[], bool]]:
    checks: dict[str, Callable[[], bool]] = {"database": _database_is_migrated}
    if getattr(settings, "DEMO", False):
        checks |= {"worker": _worker_beats, "simulator": _simulator_answers}
    return checks


def _database_is_migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _worker_beats() -> bool:
    file: Path = settings.HEARTBEAT_FILE  # type: ignore[misc]  # of the demo's settings only
    return file.exists() and time.time() - file.stat().st_mtime < _HEARTBEAT_SECONDS


def _simulator_answers() -> bool:
    base = settings.BARS["TOKEN_URL"].removesuffix("/oauth2/token")
    try:
        with urllib.request.urlopen(f"{base}/simulator/health", timeout=2) as answer:  # noqa: S310 - our own settings
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
