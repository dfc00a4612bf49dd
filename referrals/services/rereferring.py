"""Revoke first, then refer anew: the plan is written down before the first message goes out."""

from datetime import datetime
from typing import cast

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.patients.selectors import details_of
from directory.models import HealthcareService
from directory.remote import identity_of
from referrals import policies, selectors
from referrals.content import RequestContent, content_from_json, content_to_json
from referrals.latest import LatestRequest
from referrals.models import Referral, Rereferral
from referrals.sent import lock_sent
from referrals.services.issuing import issue_request
from referrals.services.requesting import check_stated, with_booking
from referrals.services.revoking import take_back
from referrals.states import CaseStatus, Category


@transaction.atomic
def refer_again(
    *,
    referral: Referral,
    content: RequestContent,
    service: HealthcareService,
    latest: LatestRequest,
    reason: str,
    acting: Acting,
    now: datetime,
) -> Rereferral:
    """Write the plan and ask the old receiver to let go; the new referral goes out by itself after that.

    For the same patient in the same journey; at once when the old one is taken back already. `service` may
    be another one. Raises PolicyRefused and ContentInvalid.
    """
    held = cast(Referral, lock_sent(Category.REFERRAL, str(referral.pk)))
    policies.check_can_refer_again(acting, held)
    policies.check_can_request(acting, service, content.use_case)
    policies.check_told_to_take(service, content.use_case, now)
    check_stated(Category.REFERRAL, content, details_of(held.patient))
    booking = selectors.standing_booking(held.journey, service)
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
        )
    plan, _ = Rereferral.objects.update_or_create(
        revoked=held,
        defaults={
            "service": service,
            "content": stated,
            "made": None,
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
        sender=identity_of(actor),
        now=now,
    )
    plan.made = cast(Referral, made)
    plan.save(update_fields=["made"])
    return plan.made
