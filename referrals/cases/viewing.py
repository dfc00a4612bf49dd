"""Seeing what is known about a patient is an event of its own, and so is dealing with a stray response."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Journey
from referrals.cases import policies
from referrals.cases.models import Case, UnmatchedReply


def record_case_view(*, case: Case, acting: Acting, now: datetime) -> None:
    """Raises PolicyRefused, which is recorded too."""
    _record_case(case, acting, "referrals.view_case", now)


def record_case_export(*, case: Case, acting: Acting, now: datetime) -> None:
    """The case leaves the portal as a file. Raises PolicyRefused, which is recorded too."""
    _record_case(case, acting, "referrals.export_case", now)


def _record_case(case: Case, acting: Acting, action: str, now: datetime) -> None:
    refused = not policies.can_view(acting, case)
    record(
        actor=acting.actor,
        action=action,
        subject=case,
        outcome="refused" if refused else "done",
        correlation_id=case.correlation_id,
        now=now,
    )
    policies.check_can_view(acting, case)


def record_journey_view(*, journey: Journey, acting: Acting, now: datetime) -> None:
    record(
        actor=acting.actor,
        action="referrals.view_journey",
        subject=journey,
        correlation_id=journey.correlation_id,
        now=now,
    )


def record_sent_message_view(*, message: OutboundMessage, acting: Acting, now: datetime) -> None:
    record(
        actor=acting.actor,
        action="referrals.view_sent_message",
        subject=message,
        correlation_id=message.correlation_id,
        now=now,
    )


def record_unmatched_view(*, reply: UnmatchedReply, acting: Acting, now: datetime) -> None:
    """Raises PolicyRefused."""
    policies.check_can_view_unmatched(acting, reply)
    _record(reply, acting, "referrals.view_unmatched_reply", now)


@transaction.atomic
def mark_unmatched_handled(*, reply: UnmatchedReply, acting: Acting, now: datetime) -> bool:
    """Somebody has dealt with it. False when a colleague, or an earlier press, was first.

    Raises PolicyRefused.
    """
    policies.check_can_handle_unmatched(acting, reply)
    open_one = UnmatchedReply.objects.filter(pk=reply.pk, handled_at__isnull=True)
    if not open_one.update(handled_at=now, handled_by=acting.user):
        return False
    _record(reply, acting, "referrals.handle_unmatched_reply", now)
    return True


def _record(reply: UnmatchedReply, acting: Acting, action: str, now: datetime) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=reply,
        correlation_id=reply.journey.correlation_id,
        now=now,
    )
