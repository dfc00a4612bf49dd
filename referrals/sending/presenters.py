"""A request being written: its tasks, what was typed in words; and what became of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.forms.boundfield import BoundField
from django.urls import NoReverseMatch, reverse

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.explanations import trying_words
from bars_portal.exchange import outbox
from bars_portal.exchange.models import DeliveryState
from bars_portal.nhsuk.dates import format_date, format_datetime, format_partly
from bars_portal.nhsuk.forms import ConfirmField, DateField, HiddenField, RadiosField, SelectField
from bars_portal.patients.presenters import PatientBanner, banner
from referrals.cases.models import Case, Referral
from referrals.cases.states import OPEN, CaseStatus
from referrals.forms.base import ConceptField, PartForm, in_words
from referrals.forms.steps import ReadStep
from referrals.sending import policies, selectors
from referrals.sending.updating import MESSAGES as UPDATES

DONE, TO_DO, OPTIONAL, STARTED, WRONG = "Completed", "To do", "Optional", "Started", "There is a problem"
_TONES = {TO_DO: "working", STARTED: "waiting", WRONG: "failed", OPTIONAL: "neutral"}


@dataclass(frozen=True)
class TaskLine:
    """One step. Completed is plain text, as the pattern has it; the others are tags."""

    section: str
    title: str
    address: str
    status: str

    @property
    def tone(self) -> str:
        return _TONES.get(self.status, "")


def status_of(*, opened: bool, done: bool, valid: bool, required: bool) -> str:
    if not opened:
        return TO_DO if required else OPTIONAL
    if not done:
        return STARTED
    return DONE if valid else WRONG


def by_section(lines: Iterable[TaskLine]) -> dict[str, list[TaskLine]]:
    """In the order in which sections first come."""
    found: dict[str, list[TaskLine]] = {}
    for line in lines:
        found.setdefault(line.section, []).append(line)
    return found


Rows = list[tuple[str, str]]


def summary_rows(read: ReadStep) -> Rows:
    """(label, value) of everything that was answered in a step; rows of a list are one line each."""
    rows = list(_answers(read.form))
    used = read.used_rows
    for number, row in enumerate(used, start=1):
        name, answers = read.step.row_name.capitalize(), list(_answers(row))
        rows.append((f"{name} {number}" if len(used) > 1 else name, _in_one(answers) if answers else ""))
    return rows


def _in_one(rows: Sequence[tuple[str, str]]) -> str:
    """The first answer speaks for itself; others need their label."""
    (_, first), *others = rows
    return ". ".join([first, *(f"{label}: {value}" for label, value in others)])


def _answers(form: PartForm) -> Iterator[tuple[str, str]]:
    if not form.is_bound:
        return
    for name in form.fields:
        words = "" if name.endswith("_time") else _words(form, form[name])
        if words:
            yield str(form.fields[name].label), words


def _words(form: PartForm, bound: BoundField) -> str:
    """As it was typed, or the option that was chosen; a moment with the day that it was taken to be of."""
    field, value = bound.field, bound.value()
    if isinstance(field, HiddenField):
        return ""
    if isinstance(moment := getattr(form, "cleaned_data", {}).get(bound.name), datetime):
        return format_datetime(moment)
    if isinstance(field, DateField):
        return _day(form, bound.name)
    if isinstance(field, SelectField | RadiosField):
        return next((each.text for each in field.items if each.value and each.value == value), "")
    if isinstance(field, ConfirmField):
        return "Yes" if value else ""
    if isinstance(field, ConceptField):
        return in_words(str(value or "").strip(), field.codes)
    return str(value or "").strip()


def _day(form: PartForm, name: str) -> str:
    on = getattr(form, "cleaned_data", {}).get(name)
    if isinstance(on, str):
        return format_partly(on)
    if not isinstance(on, date):
        return ""
    at = form[f"{name}_time"].value() if f"{name}_time" in form.fields else ""
    return f"{format_date(on)} at {at}" if at else format_date(on)


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


# Where no new referral takes its place.
_WITHOUT_NEXT: Mapping[CaseStatus, str] = {
    CaseStatus.REVOKING: "Taking it back",
    CaseStatus.REVOKE_UNKNOWN: "We do not know yet whether this is taken back",
    CaseStatus.REVOKED: "Taken back",
}


@dataclass(frozen=True)
class Confirmation:
    """`case_page` is "" where the pages of sent cases are not served; `next_case` took the case's place."""

    case: Case
    banner: PatientBanner
    heading: str
    is_waiting: bool
    is_sent: bool
    is_open: bool
    is_updated: bool
    is_refused: bool
    can_check_again: bool
    case_page: str
    next_case: Case | None
    trying: str


def confirmation(case: Case, *, acting: Acting, now: datetime) -> Confirmation:
    status, waiting = CaseStatus(case.status), is_waiting(case)
    plan = selectors.rereferral_of(case) if isinstance(case, Referral) else None
    refused = "" if waiting or status in _HEADINGS else _refused(case)
    return Confirmation(
        case=case,
        banner=banner(case.patient),
        heading=refused or _heading(case, status, waiting=waiting, is_replaced=plan is not None),
        is_waiting=waiting,
        is_sent=status not in _HEADINGS and not waiting and not refused,
        is_open=status in OPEN,
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


def _refused(case: Case) -> str:
    """What the service did not do of what it was last asked, while the case itself stands; "" when it did."""
    message = outbox.latest_for(case) if case.explanation else None
    if message is None or message.state != DeliveryState.REFUSED:
        return ""
    return "Not updated" if message.message_type in UPDATES.values() else "The service keeps the request"


def _heading(case: Case, status: CaseStatus, *, waiting: bool, is_replaced: bool) -> str:
    if waiting and status is not CaseStatus.REVOKING:
        return "Still confirming"
    if status in _HEADINGS:
        return _HEADINGS[status] if is_replaced else _WITHOUT_NEXT.get(status, _HEADINGS[status])
    if is_updated(case):
        return "Update sent"
    return "Referral sent" if isinstance(case, Referral) else "Request for validation sent"
