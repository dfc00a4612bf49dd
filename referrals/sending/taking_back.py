"""Taking a request back, and what goes anew once it is taken back: a referral, alone or with its appointment.

The guide (Application 1): a new appointment never rests on the referral of the old one. When one is
rebooked, its cancellation and the taking back go out together; the new referral follows the one, and the new
appointment both.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import cast

from django.db import transaction
from django.urls import reverse

from bars_portal.accounts.acting import Acting, StatedPerson
from bars_portal.accounts.permissions import PolicyRefused, Role, need, why_not
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.reassessment import recorded_words
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.patients.selectors import details_of
from bookings.models import Booking
from bookings.ports import RenewalProgress
from bookings.services.cancelling import continue_rebooking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from directory.remote import identity_of, sender_identity
from referrals.cases.history import change_case
from referrals.cases.models import Case, Referral
from referrals.cases.selectors import sent_in
from referrals.cases.states import CaseEvent, CaseStatus, Category
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json, content_to_json
from referrals.sending import policies, selectors
from referrals.sending.latest import is_taken_back, read_latest
from referrals.sending.message import lock_sent
from referrals.sending.models import Rereferral
from referrals.sending.requesting import check_stated, issue_request, send_about, with_booking

REASON_LENGTH = 300
_REVOKED, _IN_ERROR = ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR
_MESSAGES = {
    (Category.REFERRAL, _REVOKED): "referral-revoked",
    (Category.REFERRAL, _IN_ERROR): "referral-entered-in-error",
    (Category.VALIDATION, _REVOKED): "validation-cancelled",
    (Category.VALIDATION, _IN_ERROR): "validation-cancelled",
}


@transaction.atomic
def revoke_request(*, case: Case, latest: Latest, reason: str, acting: Acting, now: datetime) -> Case:
    """Ask the receiver to let go of the case; `reason` in a few words.

    `latest` was read just before, outside this transaction; when it is taken back there already, that is
    recorded and nothing is sent. Raises PolicyRefused, also when nothing could be read.
    """
    held = _without_successor(case, acting)
    return take_back(case=held, latest=latest, status=_REVOKED, reason=reason, acting=acting, now=now)


@transaction.atomic
def mark_entered_in_error(*, case: Case, latest: Latest, reason: str, acting: Acting, now: datetime) -> Case:
    """The same for a request that never should have been."""
    held = _without_successor(case, acting)
    return take_back(case=held, latest=latest, status=_IN_ERROR, reason=reason, acting=acting, now=now)


def take_back(
    *,
    case: Case,
    latest: Latest,
    status: ServiceRequestStatus,
    reason: str,
    acting: Acting,
    now: datetime,
    note: str = "",
) -> Case:
    """The message and its record, in the caller's transaction, which holds the case's row locked."""
    if is_taken_back(latest):
        return find_revoked(case=case, latest=latest, actor=acting.actor, now=now)
    if not latest.can_be_changed:
        raise PolicyRefused(latest.sentence)
    changes = {
        # The message is built from this version, which the receiver holds.
        "resource": latest.resource,
        "ending": status.value,
        "end_reason": reason.strip()[:REASON_LENGTH],
        "explanation": "",
    }
    change_case(
        case=case, event=CaseEvent.REQUEST_REVOKE, actor=acting.actor, now=now, note=note, changes=changes
    )
    send_about(case, _MESSAGES[case.category, status], sender_identity(acting), now)
    return case


def find_revoked(*, case: Case, latest: Latest, actor: Actor, now: datetime) -> Case:
    """The receiver holds it as taken back already: only our record is behind. Raises TransitionRefused."""
    change_case(
        case=case,
        event=CaseEvent.FIND_REVOKED,
        actor=actor,
        now=now,
        note="It had been taken back there already.",
        changes={"resource": latest.resource, "explanation": ""},
    )
    return case


def _without_successor(case: Case, acting: Acting) -> Case:
    """The case, its row locked; a referral that was to take its place is not planned any more."""
    held = lock_sent(case.category, str(case.pk))
    policies.check_can_take_back(acting, held)
    Rereferral.objects.filter(revoked_id=held.pk, made=None).delete()
    return held


@transaction.atomic
def refer_again(
    *,
    referral: Referral,
    content: RequestContent,
    service: HealthcareService,
    latest: Latest,
    reason: str,
    acting: Acting,
    now: datetime,
    reassessed: str = "",
    rebooked: Booking | None = None,
) -> Rereferral:
    """Write the plan and ask the old receiver to let go; the new referral goes out by itself after that.

    For the same patient in the same journey; at once when the old one is taken back already. `service` may
    be another one. `reassessed` is a Reassessed, "" where nobody was asked; `rebooked`: the appointment that
    is cancelled at the same time, which the new referral does not name. Raises PolicyRefused and
    ContentInvalid.
    """
    held = cast(Referral, lock_sent(Category.REFERRAL, str(referral.pk)))
    policies.check_can_refer_again(acting, held)
    policies.check_can_request(acting, service, content.use_case)
    policies.check_told_to_take(service, content.use_case, now)
    check_stated(Category.REFERRAL, content, details_of(held.patient))
    booking = None if rebooked else selectors.standing_booking(held.journey, service)
    policies.check_has_booking(service, booking)
    stated = content_to_json(with_booking(content, booking))
    if held.status != CaseStatus.REVOKED.value:
        take_back(
            case=held,
            latest=latest,
            status=ServiceRequestStatus.REVOKED,
            reason=reason,
            acting=acting,
            now=now,
            note=recorded_words(reassessed),
        )
    plan, _ = Rereferral.objects.update_or_create(
        revoked=held,
        defaults={
            "service": service,
            "content": stated,
            "made": None,
            "rebooked": rebooked,
            "stated": asdict(acting.stated) if acting.stated else None,
            "started_at": now,
        },
    )
    if held.status == CaseStatus.REVOKED.value:
        continue_rereferral(referral=held, actor=acting.actor, now=now)
    plan.refresh_from_db()
    return plan


def continue_rereferral(*, referral: Referral, actor: Actor, now: datetime) -> Referral | None:
    """The second half, in the transaction that learns that the first is done. None when none is planned."""
    plans = Rereferral.objects.select_for_update(of=("self",)).filter(revoked=referral, made=None)
    plan = plans.select_related("service__provider").first()
    if plan is None:
        return None
    made = issue_request(
        content=content_from_json(plan.content),
        patient=referral.patient,
        service=plan.service,
        sender=identity_of(actor, stated=_stated_in(plan)),
        now=now,
    )
    plan.made = cast(Referral, made)
    plan.save(update_fields=["made"])
    return plan.made


def _stated_in(plan: Rereferral) -> StatedPerson | None:
    return StatedPerson(**{**plan.stated, "role": Role(plan.stated["role"])}) if plan.stated else None


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
