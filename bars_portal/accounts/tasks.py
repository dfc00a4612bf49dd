"""Celery's entry point of accounts: thin, it only names the clock."""

from datetime import UTC, datetime
from importlib import import_module

from celery import shared_task
from django.conf import settings

from bars_portal.accounts.break_glass.access import mail_reviewers
from bars_portal.accounts.late_forms import forget_old
from bars_portal.accounts.sessions import forget_over


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def mail_break_glass() -> None:
    """Once a minute: who reviews it hears of it."""
    mail_reviewers(now=datetime.now(UTC))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def forget_typed() -> None:
    """Once an hour: late forms, and sessions that are over, with the answers that were being written."""
    now = datetime.now(UTC)
    forget_old(now=now)
    forget_over(now=now)
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
