"""Taking, giving back and closing a duty; the database says who was first."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from referrals.cases.duties import OUTCOME_LENGTH, Duty
from referrals.duties import policies

_MEANWHILE = "Somebody else was first, or there is news of it. Look at it again."


@transaction.atomic
def take_duty(*, duty: Duty, acting: Acting, now: datetime) -> Duty:
    """From whoever had it when the person looked. Raises PolicyRefused."""
    return _assign(duty, acting.user, acting, now)


@transaction.atomic
def give_back_duty(*, duty: Duty, acting: Acting, now: datetime) -> Duty:
    """Nobody's again; only by who has it. Raises PolicyRefused."""
    if duty.taken_by_id != acting.user.pk:
        raise PolicyRefused("Only who has taken a task gives it back.")
    return _assign(duty, None, acting, now)


@transaction.atomic
def close_duty(*, duty: Duty, raised_at: datetime, outcome: str, acting: Acting, now: datetime) -> Duty:
    """`outcome`: what was done, in words. `raised_at`: of the duty that the person read.

    One that was raised again since then stays open: its newest answer is not known to whoever closes it.
    Raises PolicyRefused.
    """
    policies.check_can_see_to(acting, duty)
    words = " ".join(outcome.split())
    if not words:
        raise PolicyRefused("Say what was done.")
    same = Duty.objects.filter(pk=duty.pk, closed_at=None, raised_at=raised_at)
    values = {"closed_at": now, "closed_by": acting.user, "outcome": words[:OUTCOME_LENGTH]}
    if not same.update(**values):
        raise PolicyRefused(_MEANWHILE)
    _record(duty, "referrals.close_duty", "task-closed", acting, now)
    duty.refresh_from_db()
    return duty


def _assign(duty: Duty, to: User | None, acting: Acting, now: datetime) -> Duty:
    policies.check_can_see_to(acting, duty)
    same = Duty.objects.filter(
        pk=duty.pk, closed_at=None, taken_by=duty.taken_by_id, raised_at=duty.raised_at
    )
    if not same.update(taken_by=to, taken_at=now if to else None):
        raise PolicyRefused(_MEANWHILE)
    taken, given_back = ("referrals.take_duty", "task-taken"), ("referrals.give_back_duty", "task-given-back")
    _record(duty, *(taken if to else given_back), acting, now)
    duty.refresh_from_db()
    return duty


def _record(duty: Duty, action: str, step: str, acting: Acting, now: datetime) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=duty.subject,
        detail={"kind": duty.kind},
        correlation_id=duty.subject.correlation_id,
        now=now,
    )
    tell(duty.subject, step, now=now)
