"""The recorder: called inside the transaction of what it records, or part of the statement that reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

import orjson
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
        # What a partner does is told to the organisation that it concerns.
        organisation_id=actor.organisation_id or getattr(subject, "organisation_id", None),
        action=action,
        outcome=outcome,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        correlation_id=correlation_id,
        detail={**(detail or {}), **actor.circumstances},
    )


class ReadNote(NamedTuple):
    """The event of a partner's read, part of the statement that reads: there is never one without the other.

    Its outcome is "done", and it has no subject: the values of NOTED, in its order.
    """

    at: datetime
    actor_label: str
    action: str
    correlation_id: UUID
    detail: str

    @classmethod
    def of(
        cls,
        *,
        actor: Actor,
        action: str,
        now: datetime,
        detail: Mapping[str, str | int | None],
        correlation_id: UUID,
    ) -> Self:
        """As `record` takes them; the actor is no user of ours."""
        return cls(now, actor.label, action, correlation_id, orjson.dumps(dict(detail)).decode())


# SQL to be followed by FROM: one event for each row there, so none where nothing may be read. It is the
# event of the organisation in the row's `provider_id`.
NOTED = """
INSERT INTO audit_auditevent
    (at, actor_label, action, correlation_id, detail, outcome, subject_type, subject_id, organisation_id)
SELECT %s::timestamptz, %s, %s, %s::uuid, %s::jsonb, 'done', '', '', provider_id
"""
