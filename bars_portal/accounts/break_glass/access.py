"""Taking, ending and reviewing break-glass access, and what was opened under it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bars_portal.accounts import mail
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import BreakGlass, Organisation, User
from bars_portal.accounts.permissions import PERMISSIONS, need
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record

LASTS = timedelta(minutes=30)
BREAK, REVIEW = "accounts.break_glass", "accounts.review_break_glass"
MOST_EVENTS = 500
_MOST_MAILS = 50
# Neither who nor why: the page says it, to people who are signed in.
_TEXT = (
    "Somebody of your organisation took break-glass access in the BaRS portal: for 30 minutes they can read "
    "patients’ records that their role does not open.\n\nSign in, and review it from your home page.\n"
)


@transaction.atomic
def break_glass(*, acting: Acting, reason: str, now: datetime) -> BreakGlass:
    """For the organisation acted for. Raises PolicyRefused for who may not, or has it already."""
    need(acting.may(BREAK), "Your role has no break-glass access.")
    need(acting.break_glass is None, "You have break-glass access already.")
    taken = BreakGlass.objects.create(
        user=acting.user,
        organisation=acting.organisation,
        reason=reason,
        started_at=now,
        ends_at=now + LASTS,
    )
    record(actor=acting.actor, action="accounts.break_glass", subject=taken, now=now)
    return taken


@transaction.atomic
def end_break_glass(*, acting: Acting, now: datetime) -> None:
    """Before its time. When it is over already nothing changes."""
    taken = acting.break_glass
    if taken is not None and BreakGlass.objects.filter(pk=taken.pk, ends_at__gt=now).update(ends_at=now):
        record(actor=acting.actor, action="accounts.end_break_glass", subject=taken, now=now)


def uses_of(organisation: Organisation) -> QuerySet[BreakGlass]:
    """Newest first."""
    rows = BreakGlass.objects.filter(organisation=organisation).select_related("user", "reviewed_by")
    return rows.order_by("-started_at")


def unreviewed(organisation: Organisation) -> QuerySet[BreakGlass]:
    return BreakGlass.objects.filter(organisation=organisation, reviewed_at=None)


def opened_under(taken: BreakGlass) -> QuerySet[AuditEvent]:
    """What the person did under it, oldest first."""
    theirs = AuditEvent.objects.filter(
        actor_user_id=taken.user_id, at__gte=taken.started_at, detail__break_glass=str(taken.pk)
    )
    return theirs.order_by("at", "id")


@transaction.atomic
def review(*, acting: Acting, taken: BreakGlass, now: datetime) -> bool:
    """False when a colleague was first. Raises PolicyRefused for one's own, and while it lasts."""
    need(acting.may(REVIEW), "You may not review break-glass access.")
    need(taken.user_id != acting.user.pk, "You took it yourself: somebody else reviews it.")
    need(taken.ends_at <= now, "It still lasts. Review it when it is over.")
    waiting = BreakGlass.objects.filter(pk=taken.pk, reviewed_at=None)
    if not waiting.update(reviewed_at=now, reviewed_by=acting.user):
        return False
    record(actor=acting.actor, action="accounts.review_break_glass", subject=taken, now=now)
    return True


def mail_reviewers(*, now: datetime) -> int:
    """Everybody who reviews it in its organisation and has an address; how many accesses they were told of.

    Claimed first, so that two workers tell it once; what no server took is tried again.
    """
    if not settings.EMAIL_HOST:
        return 0
    waiting = BreakGlass.objects.filter(mailed_at=None, reviewed_at=None)
    told = 0
    for pk, organisation_id in waiting.values_list("pk", "organisation_id")[:_MOST_MAILS]:
        addresses = _reviewers(organisation_id)
        claimed = BreakGlass.objects.filter(pk=pk, mailed_at=None).update(mailed_at=now)
        if not claimed or not addresses:
            continue
        if mail.send(to=addresses, subject="Break-glass access to review", text=_TEXT):
            told += 1
        else:
            BreakGlass.objects.filter(pk=pk).update(mailed_at=None)
    return told


def _reviewers(organisation_id: int) -> list[str]:
    roles = [role.value for role, may in PERMISSIONS.items() if REVIEW in may]
    people = User.objects.filter(
        is_active=True, memberships__organisation_id=organisation_id, memberships__role__in=roles
    )
    return list(people.exclude(email="").values_list("email", flat=True).distinct())
