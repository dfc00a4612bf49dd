"""Celery's entry points of the API: thin, they only name the clock."""

from datetime import UTC, datetime

from celery import shared_task

from bars_portal.api.events import forget_events
from bars_portal.api.idempotency import forget_answers
from bars_portal.api.services import forget_tokens
from bars_portal.api.usage import forget_usage
from bars_portal.api.webhooks.delivery import forget_deliveries


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def forget() -> None:
    """Once an hour: kept answers, tokens and assertions, deliveries, events and usage after their times."""
    now = datetime.now(UTC)
    forget_answers(now=now)
    forget_tokens(now=now)
    forget_deliveries(now=now)
    forget_events(now=now)
    forget_usage(now=now)
