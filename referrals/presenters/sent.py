"""One case that we sent: how it stands there, what came back, what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.history import Step
from bars_portal.correspondence.waiting import trying_words
from bars_portal.exchange import outbox
from bars_portal.nhsuk import dates
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from bookings.policies import can_book
from referrals import policies
from referrals.case_words import CATEGORIES, TONES, other_flags, priority_words, warning_tags
from referrals.models import Case, Referral
from referrals.permissions import VIEW
from referrals.presenters.answers import Row
from referrals.presenters.history import history_lines
from referrals.presenters.replies import ReplyLine, reply_line
from referrals.presenters.worklist import is_breached, use_case_words
from referrals.selectors import Link, bookings_of, carried_from, replies_of
from referrals.states import OPEN, CaseStatus, Category, Direction

_HEADINGS: Mapping[CaseStatus, str] = {
    CaseStatus.REQUESTED: "Sending",
    CaseStatus.SENT: "Sent",
    CaseStatus.REFUSED: "Not sent",
    CaseStatus.UNKNOWN: "We do not know yet whether this arrived",
    CaseStatus.REVOKING: "Taking it back",
    CaseStatus.REVOKE_UNKNOWN: "We do not know yet whether this is taken back",
    CaseStatus.ACCEPTED: "Accepted by the service",
    CaseStatus.IN_PROGRESS: "The service has started",
    CaseStatus.COMPLETED: "Completed by the service",
    CaseStatus.REJECTED: "Rejected by the service",
    CaseStatus.DID_NOT_ATTEND: "The patient did not attend",
    CaseStatus.REVOKED: "Taken back",
    CaseStatus.ENTERED_IN_ERROR: "Entered in error",
}
_WORKING = (CaseStatus.REQUESTED, CaseStatus.REVOKING)
_UNKNOWN = (CaseStatus.UNKNOWN, CaseStatus.REVOKE_UNKNOWN)


@dataclass(frozen=True)
class SentPage:
    """Everything that the page of one sent case shows."""

    case: Case
    banner: PatientBanner
    kind: str
    heading: str
    status: str
    tone: str
    warnings: list[str]
    flags: list[str]
    breached: bool
    asked: list[Row]
    patient: list[Row]
    replies: list[ReplyLine]
    links: list[Link]
    carried_from: Case | None
    history: list[Step]
    can_take_back: bool
    cannot_take_back: str
    can_check_again: bool
    can_update: bool
    can_refer_again: bool
    can_book: bool
    is_working: bool
    trying: str

    @property
    def is_unknown(self) -> bool:
        return self.case.status in _UNKNOWN or self.can_check_again

    @property
    def is_refused(self) -> bool:
        return self.case.status == CaseStatus.REFUSED

    @property
    def outcome_due(self) -> bool:
        """Where it came from is a validation, and its requester waits for the outcome."""
        origin = self.carried_from
        return origin is not None and origin.category is Category.VALIDATION and origin.is_current

    @property
    def carried_from_kind(self) -> str:
        return CATEGORIES[self.carried_from.category] if self.carried_from else ""

    @property
    def due(self) -> datetime | None:
        return self.case.breach_at if self.case.status in OPEN else None


def sent_page(case: Case, *, acting: Acting, now: datetime) -> SentPage:
    status, cannot = CaseStatus(case.status), _cannot_take_back(acting, case)
    origin = carried_from(case) if acting.may(VIEW[Direction.RECEIVED]) else None
    return SentPage(
        case=case,
        banner=banner(case.patient),
        kind=CATEGORIES[case.category],
        heading=f"{CATEGORIES[case.category]}: {_HEADINGS.get(status, status.label).lower()}",
        status=status.label,
        tone=TONES[status],
        warnings=warning_tags(safeguarding=case.safeguarding, scene_unsafe=case.scene_unsafe),
        flags=other_flags(case.flags),
        breached=is_breached(status, case.breach_at, now),
        asked=_asked(case),
        patient=patient_rows(case.patient),
        # The last one counts, so it comes first.
        replies=[reply_line(case, each) for each in replies_of(case)][::-1],
        links=bookings_of(case) if isinstance(case, Referral) else [],
        carried_from=origin,
        history=history_lines(case),
        can_take_back=not cannot,
        cannot_take_back=cannot,
        can_check_again=policies.can_check_again(acting, case),
        can_update=policies.can_update(acting, case),
        can_refer_again=isinstance(case, Referral) and policies.can_refer_again(acting, case),
        can_book=status in OPEN and can_book(acting, case.service),
        is_working=is_on_its_way(case),
        trying=trying_words(outbox.trying(case), now=now),
    )


def is_on_its_way(case: Case) -> bool:
    """The request, its end or an update of it waits for an answer: the page keeps asking."""
    if case.status in _WORKING:
        return True
    return case.has_update_pending and outbox.unsettled(case) is not None and not _is_unclear(case)


def _is_unclear(case: Case) -> bool:
    return outbox.waiting_for_check(case) is not None


def _cannot_take_back(acting: Acting, case: Case) -> str:
    try:
        policies.check_can_take_back(acting, case)
    except policies.PolicyRefused as refusal:
        return refusal.sentence
    return ""


def _asked(case: Case) -> list[Row]:
    rows = [
        ("What is asked", use_case_words(case.use_case)),
        ("Service", case.service.name),
        ("Priority", priority_words(case.priority)),
        ("Due by", dates.format_datetime(case.breach_at) if case.breach_at else ""),
        ("Their reference", case.reference or "None yet"),
        # Without a number of our own the id stands in for it on the wire, and says nothing to people.
        ("Our case number", "" if case.case_number == str(case.pk) else case.case_number),
        ("Sent", dates.format_datetime(case.created_at)),
        ("Why it was taken back", case.end_reason),
    ]
    needed = ("What is asked", "Priority", "Due by")
    return [{"key": key, "value": value} for key, value in rows if value or key in needed]
