"""One received case: who it is about, what is asked, how it stands, what can be done."""

from dataclasses import dataclass
from datetime import datetime

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.correspondence.history import Step
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import InboundMessage
from bars_portal.nhsuk import dates
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from referrals.answer_policies import can_work
from referrals.answer_states import AnswerState
from referrals.case_words import CATEGORIES, TONES, other_flags, priority_words, warning_tags
from referrals.link_policies import can_link_referral
from referrals.models import Case, CaseNote, Referral
from referrals.presenters.actions import Actions, actions_for
from referrals.presenters.answers import AnswerLine, Row, answer_line
from referrals.presenters.history import VersionLine, history_lines, version_lines
from referrals.presenters.message import MessageView, present_message
from referrals.presenters.message.technical import is_guid
from referrals.presenters.onward import OnwardLine, onward_facts
from referrals.presenters.worklist import is_breached, use_case_words
from referrals.selectors import Link, answers_of, bookings_of, notes_of, steps_of, telling_message
from referrals.states import OPEN, CaseStatus


@dataclass(frozen=True)
class ReceivedPage:
    """Everything that the page of one received case shows. `seen`: its steps so far (decide_as_seen)."""

    case: Case
    banner: PatientBanner
    kind: str
    status: str
    tone: str
    warnings: list[str]
    flags: list[str]
    breached: bool
    asked: list[Row]
    patient: list[Row]
    actions: Actions
    answers: list[AnswerLine]
    notes: list[CaseNote]
    links: list[Link]
    can_link: bool
    onward: list[OnwardLine]
    can_refer_onward: bool
    onward_untold: bool
    onward_missing: bool
    versions: list[VersionLine]
    history: list[Step]
    can_work: bool
    is_mine: bool
    holder: str
    seen: int

    @property
    def due(self) -> datetime | None:
        return self.case.breach_at if self.case.status in OPEN else None

    @property
    def is_sending(self) -> bool:
        return any(each.answer.state == AnswerState.SENDING for each in self.answers)


def received_page(case: Case, *, acting: Acting, now: datetime) -> ReceivedPage:
    status, holder = CaseStatus(case.status), case.assigned_to
    return ReceivedPage(
        case=case,
        banner=banner(case.patient),
        kind=CATEGORIES[case.category],
        status=status.label,
        tone=TONES[status],
        warnings=warning_tags(safeguarding=case.safeguarding, scene_unsafe=case.scene_unsafe),
        flags=other_flags(case.flags),
        breached=is_breached(status, case.breach_at, now),
        asked=asked_rows(case),
        patient=patient_rows(case.patient),
        actions=actions_for(acting, case),
        answers=[answer_line(acting, each) for each in answers_of(case)],
        notes=list(notes_of(case)),
        links=bookings_of(case) if isinstance(case, Referral) else [],
        can_link=isinstance(case, Referral) and can_link_referral(acting, case),
        **onward_facts(acting, case),
        versions=version_lines(case),
        history=history_lines(case),
        can_work=can_work(acting, case),
        is_mine=holder is not None and holder.pk == acting.user.pk,
        holder=name_of(holder) if holder else "",
        seen=steps_of(case),
    )


def asked_rows(case: Case) -> list[Row]:
    """What is asked, by whom and by when; what was not said and matters reads "Not stated"."""
    sender = case.requester_name or case.sender_name or case.requester_ods_code or case.sender_ods_code
    rows = [
        ("What is asked", use_case_words(case.use_case)),
        ("Service", case.service.name),
        ("Priority", priority_words(case.priority)),
        ("Due by", dates.format_datetime(case.breach_at) if case.breach_at else ""),
        ("Sent by", sender),
        ("Their case number", "" if is_guid(case.case_number) else case.case_number),
        ("Our reference", case.reference),
        ("Written", dates.format_datetime(case.authored_on) if case.authored_on else ""),
        ("Received", dates.format_datetime(case.created_at)),
    ]
    # A priority of another kind, such as a disposition, stands at a glance: no "Not stated" here beside it.
    return [{"key": key, "value": value} for key, value in rows if case.priority or key != "Priority"]


def message_of(case: Case, now: datetime) -> MessageView | None:
    """The newest message that tells the whole case, in words."""
    return shown_message(telling_message(case), now)


def shown_message(message: InboundMessage | None, now: datetime) -> MessageView | None:
    """A kept message in words; None when it is not kept, or cannot be read."""
    if message is None:
        return None
    try:
        return present_message(MessageBundle(decode(message.body)), now)
    except OutcomeError:
        return None
