"""Tells the page of a received booking which referrals go with it."""

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bookings.models import Booking
from bookings.ports import Companion, Companions
from referrals.link_policies import can_link_booking
from referrals.permissions import VIEW
from referrals.selectors import referrals_of
from referrals.states import CaseStatus, Direction


def companions(booking: Booking, acting: Acting) -> Companions:
    """None for who may not see received referrals."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Companions([])
    found = [
        Companion(
            words=f"{link.referral.reference or 'Referral'}, {link.referral.service.name}, "
            f"{CaseStatus(link.referral.status).label.lower()}",
            href=reverse("referrals:received", args=[link.referral.pk]),
            live=link.live,
        )
        for link in referrals_of(booking)
    ]
    may_link = can_link_booking(acting, booking)
    return Companions(found, reverse("referrals:link-referral", args=[booking.pk]) if may_link else "")
