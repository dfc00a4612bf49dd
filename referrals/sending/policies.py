"""Who may send, change or take back a request: `check_can_x` raises a sentence, `can_x` is its boolean."""

from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import UseCase
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.capability import OTHER_VERSION, accepts_request, speaks_our_version
from directory.models import HealthcareService
from directory.policies import why_no_referrals_now
from directory.selectors.services import capability_of
from referrals.cases.models import Case, Referral
from referrals.cases.policies import STANDING, check_received_here
from referrals.cases.states import CaseStatus
from referrals.parts.applications import application_for, application_of
from referrals.permissions import SEND, SEND_CLINICAL
from referrals.sending.models import RequestDraft, Rereferral

_GONE = (CaseStatus.REFUSED, CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR, CaseStatus.REJECTED)


def check_can_request(acting: Acting, service: HealthcareService, use_case: str) -> None:
    check_may_send(acting, use_case)
    need(service.active, "This service is closed. Choose another service.")
    need(service.takes_referrals, "This service takes no referrals. Choose another service.")
    taken = use_case in service.accepted_use_cases
    need(taken, "This service does not take requests of this kind. Choose another service.")


def check_told_to_take(service: HealthcareService, use_case: UseCase, now: datetime) -> None:
    """By what the service was last heard to say of itself (standard section 8): nothing is asked here."""
    check_not_paused(service, now)
    capability = capability_of(service, now=now)
    need(speaks_our_version(capability), OTHER_VERSION)
    told = accepts_request(capability, use_case)
    need(told, "This service itself says that it does not take such requests now. Choose another service.")


def check_not_paused(service: HealthcareService, now: datetime) -> None:
    """What a service of this installation has said to us."""
    reason = why_no_referrals_now(service, now=now)
    need(not reason, f"{reason} Choose another service.")


def check_has_booking(service: HealthcareService, booking: Booking | None) -> None:
    """HealthcareService "requirebooking" (standard section 9, workflow 1)."""
    booked = booking is not None and booking.status == BookingStatus.BOOKED
    sentence = "This service takes referrals only with an appointment there. Book the appointment first."
    need(booked or not service.requires_booking, sentence)


def check_can_use_draft(acting: Acting, draft: RequestDraft) -> None:
    ours = draft.organisation_id == acting.organisation.pk and draft.user_id == acting.user.pk
    need(ours, "This request was started by somebody else.")


def check_can_update(acting: Acting, case: Case) -> None:
    _check_ours(acting, case)
    updated = application_for(case.use_case, case.category).is_updated
    need(updated, "A referral like this is not updated. Take it back and refer again.")
    _check_open(case)


def check_can_take_back(acting: Acting, case: Case) -> None:
    """Revoked, or entered in error."""
    _check_ours(acting, case)
    _check_open(case)


def check_can_refer_again(acting: Acting, referral: Referral) -> None:
    """Also when the old one is taken back and has no successor: the second half may be tried again."""
    _check_ours(acting, referral)
    if referral.status == CaseStatus.REVOKED:
        _check_not_replaced(referral)
    else:
        _check_open(referral)


def check_can_check_again(acting: Acting, case: Case) -> None:
    _check_ours(acting, case)
    message = outbox.unsettled(case)
    unknown = message is not None and message.is_unclear
    need(unknown, "The outcome is known or on its way, so there is nothing to check.")


def can_update(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_update(acting, case))


def can_take_back(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_take_back(acting, case))


def can_refer_again(acting: Acting, referral: Referral) -> bool:
    return allowed(lambda: check_can_refer_again(acting, referral))


def can_check_again(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_check_again(acting, case))


def check_may_send(acting: Acting, use_case: str) -> None:
    """By role alone."""
    known = UseCase.lookup(use_case)
    clinical = known is None or application_of(known).is_clinical
    need(acting.may(SEND_CLINICAL if clinical else SEND), ONLY_CLINICIANS)


ONLY_CLINICIANS = "Only clinicians may refer patients or ask for a validation. Others refer to a pharmacy."


def _check_ours(acting: Acting, case: Case) -> None:
    check_may_send(acting, case.use_case)
    ours = case.organisation_id == acting.organisation.pk and case.direction == Direction.SENT
    need(ours, "Only the organisation that sent a request may change it.")


def _check_open(case: Case) -> None:
    """The receiver has it, it stands, and nothing else about it is on its way."""
    sentence = _NOT_OPEN.get(CaseStatus(case.status))
    if sentence is not None:
        raise PolicyRefused(sentence)
    message = outbox.unsettled(case)
    unknown = message is not None and message.is_unclear
    need(not unknown, "It is not known whether the last message about this case arrived. Check again first.")
    need(message is None, "A message about this case is on its way. Wait for the answer first.")


_NOT_OPEN = {
    CaseStatus.REQUESTED: "This request is still being sent. Wait for the answer first.",
    CaseStatus.UNKNOWN: "It is not known whether this request arrived. Check again first.",
    CaseStatus.REFUSED: "This request was never taken.",
    CaseStatus.REVOKING: "This request is being taken back already.",
    CaseStatus.REVOKE_UNKNOWN: "It is not known whether this request is taken back. Check again first.",
    CaseStatus.REVOKED: "This request is taken back already.",
    CaseStatus.ENTERED_IN_ERROR: "This request was entered in error.",
    CaseStatus.REJECTED: "The service has rejected this request, so it cannot be changed any more.",
    CaseStatus.COMPLETED: "The service has completed this case, so it cannot be changed any more.",
    CaseStatus.DID_NOT_ATTEND: "The patient did not attend, so this case is over.",
}


def _check_not_replaced(referral: Referral) -> None:
    plan = Rereferral.objects.filter(revoked=referral).select_related("made").first()
    gone = plan is None or plan.made is None or plan.made.status in _GONE
    need(gone, "Another referral was already sent in its place.")


def check_can_refer_onward(acting: Acting, case: Case) -> None:
    """Ask another service to carry on with a case that was handed to us, also after its outcome was given."""
    need(acting.may(SEND_CLINICAL), ONLY_CLINICIANS)
    check_received_here(acting, case)
    over = STANDING.get(CaseStatus(case.status), "")
    need(case.is_current or case.status == CaseStatus.COMPLETED, over)


def can_refer_onward(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_refer_onward(acting, case))
