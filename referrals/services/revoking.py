"""Taking a request back: circumstances changed (revoked), or it never should have been (in error)."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from directory.remote import SenderIdentity, sender_identity
from referrals import policies
from referrals.latest import LatestRequest
from referrals.models import Case, Rereferral
from referrals.sent import lock_sent
from referrals.services.issuing import send_about
from referrals.services.status import change_case
from referrals.states import CaseEvent, Category

REASON_LENGTH = 300
_REVOKED, _IN_ERROR = ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR
_MESSAGES = {
    (Category.REFERRAL, _REVOKED): "referral-revoked",
    (Category.REFERRAL, _IN_ERROR): "referral-entered-in-error",
    (Category.VALIDATION, _REVOKED): "validation-cancelled",
    (Category.VALIDATION, _IN_ERROR): "validation-cancelled",
}


@transaction.atomic
def revoke_request(*, case: Case, latest: LatestRequest, reason: str, acting: Acting, now: datetime) -> Case:
    """Ask the receiver to let go of the case; `reason` in a few words.

    `latest` was read just before, outside this transaction; when it is taken back there already, that is
    recorded and nothing is sent. Raises PolicyRefused, also when nothing could be read.
    """
    held = _locked(case, acting)
    Rereferral.objects.filter(revoked_id=held.pk, made=None).delete()
    return take_back(case=held, latest=latest, status=_REVOKED, reason=reason, acting=acting, now=now)


@transaction.atomic
def mark_entered_in_error(
    *, case: Case, latest: LatestRequest, reason: str, acting: Acting, now: datetime
) -> Case:
    """The same for a request that never should have been."""
    held = _locked(case, acting)
    Rereferral.objects.filter(revoked_id=held.pk, made=None).delete()
    return take_back(case=held, latest=latest, status=_IN_ERROR, reason=reason, acting=acting, now=now)


def take_back(
    *,
    case: Case,
    latest: LatestRequest,
    status: ServiceRequestStatus,
    reason: str,
    acting: Acting,
    now: datetime,
) -> Case:
    """The message and its record, in the caller's transaction, which holds the case's row locked."""
    if latest.is_taken_back:
        return find_revoked(case=case, latest=latest, actor=acting.actor, now=now)
    if not latest.can_be_changed:
        raise policies.PolicyRefused(latest.sentence)
    changes = {
        # The message is built from this version, which the receiver holds.
        "resource": latest.resource,
        "ending": status.value,
        "end_reason": reason.strip()[:REASON_LENGTH],
        "explanation": "",
    }
    change_case(case=case, event=CaseEvent.REQUEST_REVOKE, actor=acting.actor, now=now, changes=changes)
    _send(case, status, sender_identity(acting), now)
    return case


def find_revoked(*, case: Case, latest: LatestRequest, actor: Actor, now: datetime) -> Case:
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


def _locked(case: Case, acting: Acting) -> Case:
    held = lock_sent(case.category, str(case.pk))
    policies.check_can_take_back(acting, held)
    return held


def _send(case: Case, status: ServiceRequestStatus, sender: SenderIdentity, now: datetime) -> None:
    send_about(case, _MESSAGES[case.category, status], sender, now)
