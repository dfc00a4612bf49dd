"""The one way a case changes: conditional on what it was before, with version, history and audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from bars_portal.audit.actor import Actor
from bars_portal.correspondence.history import change_if, write_rows, write_step
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import key_of
from referrals.cases.duties import settle_referral_duties, settle_update_duty
from referrals.cases.models import Case, CaseStatusChange, CaseVersion, Referral, owned_by
from referrals.cases.states import ANSWERING, CaseEvent, CaseStatus, next_status


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
    if event in ANSWERING and case.answered_at is None:
        values["answered_at"] = now
    if "explanation" in values:
        # A code never outlives the words that it stands for.
        values.setdefault("explanation_code", "")
    with transaction.atomic():
        change_if(case, still={"status": before.value, "version": version}, values=values)
        _write_step(case, event, before.value, actor=actor, now=now, note=note, message_id=message_id)
        _settle_duties(case, actor, now)
        if event is CaseEvent.CONFIRM_UPDATE and isinstance(case, Referral):
            settle_update_duty(referral=case, actor=actor, now=now)


def start_history(
    *,
    case: Case,
    event: CaseEvent,
    bundle_id: str,
    actor: Actor,
    now: datetime,
    message_id: UUID | None = None,
) -> None:
    """Write a new case with its first step and its first version."""
    beside = (case, _version(case, bundle_id, message_id, now))
    _write_step(case, event, "", actor=actor, now=now, note="", message_id=message_id, beside=beside)
    _settle_duties(case, actor, now)


def _settle_duties(case: Case, actor: Actor, now: datetime) -> None:
    """An appointment that was made first may have waited for this referral, or has lost it."""
    if isinstance(case, Referral) and case.direction == Direction.SENT:
        settle_referral_duties(journey=case.journey, actor=actor, now=now)


def write_version(*, case: Case, bundle_id: str, message_id: UUID | None, now: datetime) -> None:
    """Keep the ServiceRequest as it now stands. The database refuses a second row of the same version."""
    write_rows(_version(case, bundle_id, message_id, now))


def _version(case: Case, bundle_id: str, message_id: UUID | None, now: datetime) -> CaseVersion:
    return CaseVersion(
        **owned_by(case),
        number=case.version,
        bundle_id=key_of(bundle_id),
        resource=case.resource,
        message_id=message_id,
        at=now,
    )


def _write_step(
    case: Case,
    event: CaseEvent,
    before: str,
    *,
    actor: Actor,
    now: datetime,
    note: str,
    message_id: UUID | None,
    beside: Sequence[Model] = (),
) -> None:
    write_step(
        CaseStatusChange(**owned_by(case), version=case.version, message_id=message_id),
        about=case,
        event=event.value,
        before=before,
        actor=actor,
        now=now,
        note=note,
        detail={"service_id": case.service.service_id, "version": case.version},
        beside=beside,
    )
