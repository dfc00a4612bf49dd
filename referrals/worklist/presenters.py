"""The lists as pages show them: rows in words, with what must be looked at first above them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import LATE, NEVER_SENT, OutboundMessage
from bars_portal.exchange.registry import message_type
from bars_portal.nhsuk.words import listed_name
from bookings.models import Booking
from bookings.presenters.bookings import TONES as BOOKING_TONES
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from directory.models import HealthcareService
from referrals.cases.codes import priority_words
from referrals.cases.models import CaseAnswer, Referral, ValidationCase
from referrals.cases.policies import VIEW
from referrals.cases.states import OPEN, CaseStatus, Category, ResponseState
from referrals.cases.words import (
    CATEGORIES,
    TONES,
    is_breached,
    other_flags,
    use_case_words,
    warning_tags,
)
from referrals.worklist.query import Kind, Row
from referrals.worklist.saved_filters import SavedFilter
from referrals.worklist.sent import SentRow, Waiting

KINDS: Mapping[Kind, str] = {
    Kind.REFERRAL: CATEGORIES[Category.REFERRAL],
    Kind.VALIDATION: CATEGORIES[Category.VALIDATION],
    Kind.BOOKING: "Booking",
}
_PAGES: Mapping[Kind, str] = {
    Kind.REFERRAL: "referrals:received",
    Kind.VALIDATION: "referrals:received",
    Kind.BOOKING: "bookings:received",
}


@dataclass(frozen=True)
class Line:
    """One case or booking. `due` is None when it breaches never, or is over; a booking's is its start."""

    row: Row
    patient: str
    kind: str
    asked: str
    priority: str
    status: str
    tone: str
    warnings: list[str]
    flags: list[str]
    due: datetime | None
    breached: bool
    page: str

    @property
    def is_booking(self) -> bool:
        return self.row.kind is Kind.BOOKING


@dataclass(frozen=True)
class FilterLine:
    """A saved filter; `is_present`: the list shows it now."""

    saved: SavedFilter
    href: str
    is_present: bool


@dataclass(frozen=True)
class Overdue:
    """A validation whose time has passed without an outcome."""

    case: ValidationCase
    patient: str
    service: str
    priority: str


@dataclass(frozen=True)
class SentLine:
    """`due` is None when it breaches never, or is over."""

    row: SentRow
    patient: str
    kind: str
    asked: str
    status: str
    tone: str
    due: datetime | None
    breached: bool


@dataclass(frozen=True)
class Troubled:
    """An answer that the requester may not have."""

    answer: CaseAnswer
    state: str
    reference: str


def lines(rows: Iterable[Row], *, now: datetime) -> list[Line]:
    return [_line(row, now) for row in rows]


def filter_lines(filters: Iterable[SavedFilter], *, chosen: Mapping[str, str]) -> list[FilterLine]:
    return [
        FilterLine(each, reverse("referrals:worklist", query=each.chosen or None), each.chosen == chosen)
        for each in filters
    ]


def overdue(cases: Iterable[ValidationCase]) -> list[Overdue]:
    return [
        Overdue(
            case,
            listed_name(case.patient.family_name, case.patient.given_names, case.patient.died),
            case.service.name,
            priority_words(case.priority),
        )
        for case in cases
    ]


def troubled(answers: Iterable[CaseAnswer]) -> list[Troubled]:
    return [Troubled(each, ResponseState(each.state).label, str(each.case)) for each in answers]


def sent_lines(rows: Iterable[SentRow], *, now: datetime) -> list[SentLine]:
    return [
        SentLine(
            row,
            listed_name(row.family_name, row.given_names, row.died),
            CATEGORIES[row.category],
            use_case_words(row.use_case),
            row.status.label,
            TONES[row.status],
            row.breach_at if row.status in OPEN else None,
            is_breached(row.status, row.breach_at, now),
        )
        for row in rows
    ]


_TABS: Mapping[Waiting, str] = {
    Waiting.PENDING: "Waiting for an outcome",
    Waiting.TO_ACT: "To dispatch or to act on",
    Waiting.CLOSED: "Closed",
}


@dataclass(frozen=True)
class Tab:
    """One of the lists of the validations that we asked for."""

    waiting: Waiting
    words: str
    count: int
    href: str


def validation_tabs(counts: Mapping[Waiting, int]) -> list[Tab]:
    """None at all for who never asked for one."""
    if not any(counts.values()):
        return []
    kind = Category.VALIDATION.value
    return [
        Tab(each, words, counts[each], reverse("referrals:sent", query={"kind": kind, "status": each.value}))
        for each, words in _TABS.items()
    ]


def _line(row: Row, now: datetime) -> Line:
    status = row.status
    is_open = isinstance(status, CaseStatus) and status in OPEN
    return Line(
        row=row,
        patient=listed_name(row.family_name, row.given_names, row.died),
        kind=KINDS[row.kind],
        asked=use_case_words(row.use_case),
        priority=priority_words(row.priority),
        status=status.label,
        tone=TONES[status] if isinstance(status, CaseStatus) else BOOKING_TONES[status],
        warnings=warning_tags(safeguarding=row.safeguarding, scene_unsafe=row.scene_unsafe),
        flags=other_flags(row.flags),
        due=row.due_at if is_open or row.kind is Kind.BOOKING else None,
        breached=isinstance(status, CaseStatus) and is_breached(status, row.due_at, now),
        page=_PAGES[row.kind],
    )


@dataclass(frozen=True)
class GivenUpLine:
    """`href` is "" for who may not open it; instants are aware."""

    what: str
    service: str
    sent_at: datetime
    stopped_at: datetime | None
    sent_by: str
    known: str
    href: str


_KNOWN = {
    NEVER_SENT: "Never went out: the service could not be reached",
    LATE: "Arrived after all: check that nothing else was arranged meanwhile",
}
_NOT_KNOWN = "Not known whether it arrived"
# Where the subject of a message is looked after, and who may open that page.
_SUBJECT_PAGES: Mapping[str, tuple[str, str]] = {
    Booking._meta.label_lower: ("bookings:detail", VIEW_BOOKINGS[Direction.SENT.value]),
    Referral._meta.label_lower: ("referrals:sent-case", VIEW[Direction.SENT.value]),
    ValidationCase._meta.label_lower: ("referrals:sent-case", VIEW[Direction.SENT.value]),
    CaseAnswer._meta.label_lower: ("referrals:received", VIEW[Direction.RECEIVED.value]),
}


def given_up_lines(acting: Acting, messages: Iterable[OutboundMessage]) -> list[GivenUpLine]:
    """Two more queries, however many lines there are."""
    found = list(messages)
    names = dict(
        HealthcareService.objects.filter(service_id__in={each.service_id for each in found}).values_list(
            "service_id", "name"
        )
    )
    cases = _cases_of_answers(found)
    return [
        GivenUpLine(
            what=message_type(each.message_type).label,
            service=names.get(each.service_id, each.service_id),
            sent_at=each.created_at,
            stopped_at=each.settled_at,
            sent_by=each.actor_label,
            known=_KNOWN.get(each.reason, _NOT_KNOWN),
            href=_subject_page(acting, each, cases),
        )
        for each in found
    ]


def _cases_of_answers(messages: Iterable[OutboundMessage]) -> dict[str, UUID]:
    ids = [each.subject_id for each in messages if each.subject_type == CaseAnswer._meta.label_lower]
    rows = CaseAnswer.objects.filter(pk__in=ids).values_list("pk", "referral_id", "validation_id")
    return {str(answer): referral or validation for answer, referral, validation in rows}


def _subject_page(acting: Acting, message: OutboundMessage, cases: Mapping[str, UUID]) -> str:
    name, permission = _SUBJECT_PAGES.get(message.subject_type, ("", ""))
    if not name or not acting.may(permission):
        return ""
    return reverse(name, args=[cases.get(message.subject_id, message.subject_id)])
