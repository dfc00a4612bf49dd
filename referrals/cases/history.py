"""The one way a case changes: conditional on what it was before, with version, history and audit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import event_of
from bars_portal.correspondence.states import Direction
from bars_portal.sql import insert
from referrals.cases.models import Case, CaseStatusChange, CaseVersion, owned_by
from referrals.cases.states import CaseEvent, CaseStatus, TransitionRefused, next_status

NOTE_LENGTH = 300


def change_case(
    *,
    case: Case,
    event: CaseEvent,
    actor: Actor,
    now: datetime,
    note: str = "",
    message_id: UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Move the case along the table and set `changes` (field: value) with it, in one transaction.

    Raises TransitionRefused when the event has no meaning now, or when the database says that somebody
    else was first.
    """
    before, version = CaseStatus(case.status), case.version
    after = next_status(case.category, Direction(case.direction), before, event)
    values = {**(changes or {}), "status": after.value, "updated_at": now}
    with transaction.atomic():
        rows = type(case).objects.filter(pk=case.pk, status=before.value, version=version)
        if not rows.update(**values):
            raise TransitionRefused(f"{event}: the case is no longer {before}")
        for name, value in values.items():
            setattr(case, name, value)
        insert(*_change(case, event, before, actor=actor, now=now, note=note, message_id=message_id))


def start_history(
    *,
    case: Case,
    event: CaseEvent,
    bundle_id: str,
    actor: Actor,
    now: datetime,
    message_id: UUID | None = None,
) -> None:
    """The first step and the first version of a case that was just written."""
    version = _version(case, bundle_id, message_id, now)
    insert(version, *_change(case, event, None, actor=actor, now=now, note="", message_id=message_id))


def write_version(*, case: Case, bundle_id: str, message_id: UUID | None, now: datetime) -> None:
    """Keep the ServiceRequest as it now stands. The database refuses a second row of the same version."""
    insert(_version(case, bundle_id, message_id, now))


def _version(case: Case, bundle_id: str, message_id: UUID | None, now: datetime) -> CaseVersion:
    return CaseVersion(
        **owned_by(case),
        number=case.version,
        bundle_id=bundle_id[:64],
        resource=case.resource,
        message_id=message_id,
        at=now,
    )


def _change(
    case: Case,
    event: CaseEvent,
    before: CaseStatus | None,
    *,
    actor: Actor,
    now: datetime,
    note: str,
    message_id: UUID | None,
) -> tuple[CaseStatusChange, AuditEvent]:
    """The step, and what the trail says of it."""
    step = CaseStatusChange(
        **owned_by(case),
        event=event.value,
        from_status=before.value if before else "",
        to_status=case.status,
        version=case.version,
        at=now,
        actor_label=actor.label,
        actor_user_id=actor.user_id,
        note=note[:NOTE_LENGTH],
        message_id=message_id,
    )
    told = event_of(
        actor=actor,
        action=f"referrals.{event.value.replace('-', '_')}",
        subject=case,
        outcome=case.status,
        detail={"service_id": case.service.service_id, "version": case.version},
        correlation_id=case.correlation_id,
        now=now,
    )
    return step, told
