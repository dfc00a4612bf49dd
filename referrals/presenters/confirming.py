"""What became of what was just sent: the words of the confirmation page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.waiting import trying_words
from bars_portal.exchange import outbox
from bars_portal.patients.presenters import PatientBanner, banner
from referrals import policies, selectors
from referrals.models import Case, Referral
from referrals.states import CaseStatus

_HEADINGS: Mapping[CaseStatus, str] = {
    CaseStatus.REQUESTED: "Still confirming",
    CaseStatus.REFUSED: "Not sent",
    CaseStatus.UNKNOWN: "We do not know yet whether this arrived",
    CaseStatus.REVOKING: "Taking back the old referral",
    CaseStatus.REVOKE_UNKNOWN: "We do not know yet whether the old referral is taken back",
    CaseStatus.REVOKED: "The old referral is taken back",
    CaseStatus.ENTERED_IN_ERROR: "Entered in error",
    CaseStatus.REJECTED: "The service has rejected this request",
}


@dataclass(frozen=True)
class Confirmation:
    """`case_page` is "" where the pages of sent cases are not served; `next_case` took the case's place."""

    case: Case
    banner: PatientBanner
    heading: str
    is_waiting: bool
    is_sent: bool
    is_updated: bool
    is_refused: bool
    can_check_again: bool
    case_page: str
    next_case: Case | None
    trying: str


def confirmation(case: Case, *, acting: Acting, now: datetime) -> Confirmation:
    status, waiting = CaseStatus(case.status), is_waiting(case)
    plan = selectors.rereferral_of(case) if isinstance(case, Referral) else None
    return Confirmation(
        case=case,
        banner=banner(case.patient),
        heading=_heading(case, status, waiting=waiting),
        is_waiting=waiting,
        is_sent=status not in _HEADINGS and not waiting,
        is_updated=is_updated(case),
        is_refused=status is CaseStatus.REFUSED,
        can_check_again=policies.can_check_again(acting, case),
        case_page=case_page(case),
        next_case=plan.made if plan else None,
        trying=trying_words(outbox.trying(case), now=now),
    )


def is_waiting(case: Case) -> bool:
    """A message about it is on its way, and nobody has to press anything."""
    message = outbox.unsettled(case)
    return message is not None and not message.is_unclear


def is_updated(case: Case) -> bool:
    """The receiver has taken more than the request that opened the case."""
    return case.version > 1


def case_page(case: Case) -> str:
    try:
        return reverse("referrals:sent-case", args=[case.pk])
    except NoReverseMatch:
        return ""


def _heading(case: Case, status: CaseStatus, *, waiting: bool) -> str:
    if waiting and status is not CaseStatus.REVOKING:
        return "Still confirming"
    if status in _HEADINGS:
        return _HEADINGS[status]
    if case.explanation:
        return "Not updated"
    if is_updated(case):
        return "Update sent"
    return "Referral sent" if isinstance(case, Referral) else "Request for validation sent"
