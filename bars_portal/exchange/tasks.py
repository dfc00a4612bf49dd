"""Celery's entry points: thin, they only name the clock and the client."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from bars_portal.exchange import delivery
from bars_portal.exchange.gateway import get_client
from bars_portal.exchange.models import DeliveryState, OutboundMessage

# A message that is queued for longer was not announced: its broker message is lost.
UNANNOUNCED_AFTER = timedelta(seconds=30)
# A repeat that is due sooner is not left to the sweep.
_SOON = timedelta(minutes=2)
# The worker's timer and the database's column are rounded differently.
_ROUNDING = timedelta(milliseconds=100)

logger = logging.getLogger(__name__)


def clock() -> datetime:
    return datetime.now(UTC)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def deliver_message(message_id: str) -> None:
    state = delivery.deliver(UUID(message_id), client=get_client(), clock=clock)
    if state == DeliveryState.UNKNOWN:
        _announce_next_attempt(UUID(message_id))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def settle_lost(message_id: str) -> None:
    delivery.settle_lost(UUID(message_id), now=clock())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sweep_outbox() -> None:
    """Once a minute: send what was never announced or is due again, and name what lost its worker.

    Each is a task of its own, so that one that fails keeps no other waiting.
    """
    now = clock()
    for message_id in delivery.stale_messages(now=now):
        settle_lost.delay(str(message_id))
    for message_id in delivery.due_messages(now=now):
        deliver_message.delay(str(message_id))
    waiting = OutboundMessage.objects.filter(
        state=DeliveryState.QUEUED, created_at__lt=now - UNANNOUNCED_AFTER
    ).order_by("created_at")
    for message_id in waiting.values_list("pk", flat=True)[:200]:
        deliver_message.delay(str(message_id))


def _announce_next_attempt(message_id: UUID) -> None:
    """A short delay is timed by the broker; a longer one, or a lost announcement, by the sweep."""
    due = delivery.next_attempt_of(message_id)
    if due is None or due > clock() + _SOON:
        return
    try:
        deliver_message.apply_async((str(message_id),), eta=due + _ROUNDING)
    except (OperationalError, OSError):
        logger.warning("tasks: broker unreachable, the sweep will repeat %s", message_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def heartbeat() -> None:
    """The demo's readiness asks how old this file is."""
    file: Path | None = getattr(settings, "HEARTBEAT_FILE", None)
    if file is not None:
        file.touch()
