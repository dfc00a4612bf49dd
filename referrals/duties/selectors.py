"""Duties of the acting organisation: what waits, and what became of those of one case or booking."""

from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals.cases.duties import Duty
from referrals.cases.models import Case, owned_by
from referrals.cases.policies import VIEW

_SHOWN_WITH = tuple(
    f"{owner}__{each}" for owner in ("referral", "validation", "booking") for each in ("service", "patient")
)
_LOCKED_WITH = ("referral__journey", "validation__journey", "booking__journey")


def duties_for(acting: Acting) -> QuerySet[Duty]:
    """Of the organisation, as far as the person sees what they are about; the longest waiting first."""
    rows = Duty.objects.filter(_seen_by(acting), organisation=acting.organisation)
    return rows.select_related(*_SHOWN_WITH, "taken_by", "closed_by", "reply").order_by("raised_at", "id")


def open_duties(acting: Acting) -> QuerySet[Duty]:
    return duties_for(acting).filter(closed_at=None)


def duty_for(acting: Acting, duty_id: UUID) -> Duty | None:
    return duties_for(acting).select_related(*_SHOWN_WITH, *_LOCKED_WITH).filter(pk=duty_id).first()


def duties_about(acting: Acting, subject: Case | Booking) -> list[Duty]:
    """Open ones first, then as they were raised."""
    known = {"booking": subject} if isinstance(subject, Booking) else owned_by(subject)
    found = list(duties_for(acting).filter(**known))
    return sorted(found, key=lambda each: each.closed_at is not None)


def _seen_by(acting: Acting) -> Q:
    """Somebody who sees no bookings sees no duty of one."""
    cases = acting.may(VIEW[Direction.SENT])
    bookings = acting.may(VIEW_BOOKINGS[Direction.SENT])
    none = Q(pk=None)
    return (Q(booking=None) if cases else none) | (Q(booking__isnull=False) if bookings else none)
