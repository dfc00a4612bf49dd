"""Rebooking an appointment together with its referral: the old one is taken back, and the same goes anew.

The guide (Application 1): a new appointment never rests on the referral of the old one. Cancellation and
taking back go out together; the new referral follows the one, and the new appointment both.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import need, why_not
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.latest import Latest
from bars_portal.exchange.transport.client import BarsClient
from bookings.models import Booking
from bookings.ports import RenewalProgress
from bookings.services.cancelling import continue_rebooking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from directory.remote import sender_identity
from referrals.cases.models import Referral
from referrals.cases.selectors import sent_in
from referrals.cases.states import CaseStatus
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.sending import policies
from referrals.sending.latest import is_taken_back, read_latest
from referrals.sending.models import Rereferral
from referrals.sending.taking_back import refer_again

_BOOKED_FIRST = "This service takes referrals only with an appointment there, so that one is booked first."
_NOT_WRITTEN_HERE = "What it says was not written in this portal."


@dataclass(frozen=True)
class Renewal:
    """bookings.ports.Renewal: of this referral, whose receiver was just asked how it holds it."""

    referral: Referral
    rebooked: Booking
    service: HealthcareService
    latest: Latest
    content: RequestContent | None
    obstacle: str

    @property
    def words(self) -> str:
        named = f" {self.referral.reference}" if self.referral.reference else ""
        return f"The referral{named} to {self.rebooked.service.name}"

    @property
    def href(self) -> str:
        return reverse("referrals:sent-case", args=[self.referral.pk])

    def begin(self, *, reason: str, reassessed: str, acting: Acting, now: datetime) -> None:
        if self.content is None:
            raise ValueError(self.obstacle)
        refer_again(
            referral=self.referral,
            content=self.content,
            service=self.service,
            latest=self.latest,
            reason=reason,
            reassessed=reassessed,
            rebooked=self.rebooked,
            acting=acting,
            now=now,
        )


def renewal_of(
    booking: Booking, service: HealthcareService, acting: Acting, client: BarsClient, now: datetime
) -> Renewal | None:
    """What rebooking `booking` for a time at `service` does with its referral; None where it has none."""
    linked = sent_in(booking.journey).linked_with(booking)
    if linked is None:
        return None
    # All of it: what was listed are some columns.
    referral = Referral.objects.select_related("service__provider", "patient", "journey", "organisation").get(
        pk=linked.pk
    )
    latest = read_latest(client, case=referral, sender=sender_identity(acting), now=now)
    content = _content(referral)

    def check() -> None:
        policies.check_can_refer_again(acting, referral)
        policies.check_can_request(acting, service, referral.use_case)
        need(not service.requires_booking, _BOOKED_FIRST)
        need(content is not None, _NOT_WRITTEN_HERE)
        need(latest.can_be_changed or is_taken_back(latest), latest.sentence)

    return Renewal(referral, booking, service, latest, content, why_not(check))


def _content(referral: Referral) -> RequestContent | None:
    """As it was stated, without the appointment that is cancelled."""
    try:
        return replace(content_from_json(referral.content), booking_ids=())
    except ContentInvalid:
        return None


_ON_THE_WAY = (CaseStatus.REVOKING, CaseStatus.REVOKE_UNKNOWN)
_ASKED = (CaseStatus.REQUESTED, CaseStatus.UNKNOWN)


def renewal_progress(booking: Booking, lock: bool) -> RenewalProgress | None:
    """How far the referral is that goes anew with the rebooking of `booking`; None when none does."""
    rows = Rereferral.objects.select_for_update(of=("self",)) if lock else Rereferral.objects.all()
    plan = rows.filter(rebooked=booking).select_related("revoked", "made").order_by("-started_at").first()
    if plan is None:
        return None
    if plan.made is None:
        return _first_half(plan.revoked)
    new, href = CaseStatus(plan.made.status), _page(plan.made)
    if new is CaseStatus.REFUSED:
        words = f"The old referral is taken back, and the new one was NOT taken. {plan.made.explanation}"
        return RenewalProgress(words.strip(), href, waits=True, is_stuck=True)
    if new in _ASKED:
        unknown = new is CaseStatus.UNKNOWN
        words = (
            "It is not known whether the new referral arrived: check it again."
            if unknown
            else "The new referral is being sent."
        )
        return RenewalProgress(words, href, waits=True, is_stuck=unknown)
    return RenewalProgress("The new referral is there.", href, waits=False, is_stuck=False)


def _first_half(old: Referral) -> RenewalProgress:
    status, href = CaseStatus(old.status), _page(old)
    if status is CaseStatus.REVOKING:
        return RenewalProgress("The old referral is being taken back.", href, waits=True, is_stuck=False)
    if status in _ON_THE_WAY:
        words = "It is not known whether the old referral is taken back: check it again."
        return RenewalProgress(words, href, waits=True, is_stuck=True)
    words = f"The old referral was NOT taken back, so no new one was sent. {old.explanation}".strip()
    return RenewalProgress(words, href, waits=True, is_stuck=True)


def _page(referral: Referral) -> str:
    return reverse("referrals:sent-case", args=[referral.pk])


def book_after_referral(*, referral: Referral, actor: Actor, now: datetime) -> None:
    """In the transaction that learns that the new referral is there: the appointment that waited for it.

    It goes out when the old one is cancelled by now; else with the cancellation.
    """
    # Few referrals were made so: what belongs to the appointment is read of those only.
    plans = Rereferral.objects.select_for_update().filter(made=referral, rebooked__isnull=False)
    plan = plans.first()
    if plan is not None and plan.rebooked is not None and plan.rebooked.status == BookingStatus.CANCELLED:
        continue_rebooking(booking=plan.rebooked, actor=actor, now=now)
