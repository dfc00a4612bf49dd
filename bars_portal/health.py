"""Liveness and readiness of the portal; no sign-in, nothing about anybody."""

import urllib.error
import urllib.request
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.sql import database_time
from bars_portal.status.selectors import clocks, heartbeat

_HEARTBEAT_SECONDS = 45
_CLOCK_SECONDS = 30


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Database and migrations; in the demo also the worker's heartbeat and the simulator."""
    checks = {name: check() for name, check in _checks().items()}
    good = all(checks.values())
    words = {name: "ok" if passed else "failing" for name, passed in checks.items()}
    told = {"status": "ok" if good else "failing", "checks": words, "warnings": _warnings()}
    return JsonResponse(told, status=200 if good else 503)


def _warnings() -> list[str]:
    """What still works, and somebody should look at: clocks that differ."""
    try:
        found = clocks(ours=timezone.now())
    except DatabaseError:
        return []
    return [_clock_words(name, seconds) for name, seconds in found.items() if abs(seconds) > _CLOCK_SECONDS]


def _clock_words(name: str, seconds: int) -> str:
    where = "ahead of" if seconds > 0 else "behind"
    return f"The clock of the {name} is {abs(seconds)} s {where} ours: look at the time service of both."


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
    try:
        seen = heartbeat()
        return seen is not None and (database_time() - seen).total_seconds() < _HEARTBEAT_SECONDS
    except DatabaseError:
        return False


def _simulator_answers() -> bool:
    base = settings.BARS["TOKEN_URL"].removesuffix(ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].token_url())
    try:
        with urllib.request.urlopen(f"{base}/simulator/health", timeout=2) as answer:  # noqa: S310 - our own settings
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
