"""Taking a request back, and referring anew once the old referral is taken back."""

from dataclasses import asdict
from datetime import datetime
from typing import cast

from django.db import transaction

from bars_portal.accounts.acting import Acting, StatedPerson
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.reassessment import recorded_words
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.patients.selectors import details_of
from bookings.models import Booking
from directory.models import HealthcareService
from directory.remote import identity_of, sender_identity
from referrals.cases.history import change_case
from referrals.cases.models import Case, Referral
from referrals.cases.states import CaseEvent, CaseStatus, Category
from referrals.parts.content import RequestContent, content_from_json, content_to_json
from referrals.sending import policies, selectors
from referrals.sending.latest import is_taken_back
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
