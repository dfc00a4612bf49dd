"""Celery's entry point of accounts: thin, it only names the clock."""

from datetime import UTC, datetime
from importlib import import_module

from celery import shared_task
from django.conf import settings

from bars_portal.accounts.late_forms import forget_old


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def forget_typed() -> None:
    """Once an hour: late forms, and sessions that are over, with the answers that were being written."""
    forget_old(now=datetime.now(UTC))
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
