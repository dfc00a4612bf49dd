"""What is written down of a case: each change and each look.

There is one way a case changes: conditional on what it was before, with version, history and audit. Seeing
what is known about a patient is an event of its own, and so is dealing with a stray response.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.history import change_if, write_rows, write_step
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import key_of
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Journey
from referrals.cases import policies
from referrals.cases.duties import settle_referral_duties, settle_update_duty
from referrals.cases.models import Case, CaseStatusChange, CaseVersion, Referral, UnmatchedReply, owned_by
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


def record_case_view(*, case: Case, acting: Acting, now: datetime, exported: bool = False) -> None:
    """`exported`: the case leaves the portal as a file. Raises PolicyRefused, which is recorded too."""
    refused = not policies.can_view(acting, case)
    _record(
        "referrals.export_case" if exported else "referrals.view_case",
        case,
        acting,
        case.correlation_id,
        now,
        outcome="refused" if refused else "done",
    )
    policies.check_can_view(acting, case)


def record_journey_view(*, journey: Journey, acting: Acting, now: datetime) -> None:
    _record("referrals.view_journey", journey, acting, journey.correlation_id, now)


def record_sent_message_view(*, message: OutboundMessage, acting: Acting, now: datetime) -> None:
    _record("referrals.view_sent_message", message, acting, message.correlation_id, now)


def record_unmatched_view(*, reply: UnmatchedReply, acting: Acting, now: datetime) -> None:
    """Raises PolicyRefused."""
    policies.check_can_view_unmatched(acting, reply)
    _record("referrals.view_unmatched_reply", reply, acting, reply.journey.correlation_id, now)


@transaction.atomic
def mark_unmatched_handled(*, reply: UnmatchedReply, acting: Acting, now: datetime) -> bool:
    """Somebody has dealt with it. False when a colleague, or an earlier press, was first.

    Raises PolicyRefused.
    """
    policies.check_can_handle_unmatched(acting, reply)
    open_one = UnmatchedReply.objects.filter(pk=reply.pk, handled_at__isnull=True)
    if not open_one.update(handled_at=now, handled_by=acting.user):
        return False
    _record("referrals.handle_unmatched_reply", reply, acting, reply.journey.correlation_id, now)
    return True


def _record(
    action: str, subject: Model, acting: Acting, correlation_id: UUID, now: datetime, outcome: str = "done"
) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=subject,
        outcome=outcome,
        correlation_id=correlation_id,
        now=now,
    )
