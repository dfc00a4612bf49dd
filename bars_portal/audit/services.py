"""The recorder: called inside the transaction of the thing it records."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.sql import insert


def record(
    *,
    actor: Actor,
    action: str,
    now: datetime,
    subject: models.Model | None = None,
    outcome: str = "done",
    detail: Mapping[str, str | int | None] | None = None,
    correlation_id: UUID | None = None,
) -> AuditEvent:
    """Append one event. `action` is `<room>.<verb>`; `detail` holds codes and counts, never patient data."""
    event = event_of(
        actor=actor,
        action=action,
        now=now,
        subject=subject,
        outcome=outcome,
        detail=detail,
        correlation_id=correlation_id,
    )
    insert(event)
    return event


def event_of(
    *,
    actor: Actor,
    action: str,
    now: datetime,
    subject: models.Model | None = None,
    outcome: str = "done",
    detail: Mapping[str, str | int | None] | None = None,
    correlation_id: UUID | None = None,
) -> AuditEvent:
    """The event, not yet written: for those who write it together with what it tells."""
    return AuditEvent(
        at=now,
        actor_user_id=actor.user_id,
        actor_label=actor.label,
        organisation_id=actor.organisation_id,
        action=action,
        outcome=outcome,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        correlation_id=correlation_id,
        detail=dict(detail or {}),
    )
