"""Linking a received booking with a received referral by hand, and undoing it."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bookings.models import Booking
from referrals import answer_policies
from referrals.link_policies import check_can_link
from referrals.models import BookingLink, Referral


@transaction.atomic
def link_booking(*, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> bool:
    """False when they were linked by hand already. Raises PolicyRefused."""
    check_can_link(acting, referral, booking)
    by = {"made_by": acting.user, "made_by_label": acting.actor.label, "made_at": now}
    _, made = BookingLink.objects.get_or_create(referral=referral, booking=booking, defaults=by)
    if made:
        _record("referrals.link_booking", referral, booking, acting, now)
    return made


@transaction.atomic
def unlink_booking(*, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> bool:
    """Only what was linked by hand. False when it is not. Raises PolicyRefused."""
    answer_policies.check_can_work(acting, referral)
    gone, _ = BookingLink.objects.filter(referral=referral, booking=booking).delete()
    if gone:
        _record("referrals.unlink_booking", referral, booking, acting, now)
    return bool(gone)


def _record(action: str, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=referral,
        detail={"booking": str(booking.pk)},
        correlation_id=referral.correlation_id,
        now=now,
    )
