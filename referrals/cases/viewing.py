"""Seeing what is known about a patient is an event of its own, and so is dealing with a stray response."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Journey
from referrals.cases import policies
from referrals.cases.models import Case, UnmatchedReply


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
