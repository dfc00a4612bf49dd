"""The worklist as pages show it: rows in words, with what must be looked at first above them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from bookings.presenters.bookings import TONES as BOOKING_TONES
from directory.capability import use_cases_in_words
from referrals.answer_states import AnswerState
from referrals.case_words import (
    CATEGORIES,
    TONES,
    other_flags,
    priority_words,
    short_name,
    warning_tags,
)
from referrals.models import CaseAnswer, SavedFilter, ValidationCase
from referrals.selectors.sent_list import SentRow
from referrals.states import OPEN, CaseStatus, Category
from referrals.worklist_query import Kind, Row

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
    row: SentRow
    patient: str
    kind: str
    asked: str
    status: str
    tone: str
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
            short_name(case.patient.family_name, case.patient.given_names),
            case.service.name,
            priority_words(case.priority),
        )
        for case in cases
    ]


def troubled(answers: Iterable[CaseAnswer]) -> list[Troubled]:
    return [Troubled(each, AnswerState(each.state).label, str(each.case)) for each in answers]


def sent_lines(rows: Iterable[SentRow], *, now: datetime) -> list[SentLine]:
    return [
        SentLine(
            row,
            short_name(row.family_name, row.given_names),
            CATEGORIES[row.category],
            use_case_words(row.use_case),
            row.status.label,
            TONES[row.status],
            is_breached(row.status, row.breach_at, now),
        )
        for row in rows
    ]


def use_case_words(code: str) -> str:
    return next(iter(use_cases_in_words([code])), "") if code else ""


def is_breached(status: CaseStatus, breach_at: datetime | None, now: datetime) -> bool:
    return breach_at is not None and breach_at < now and status in OPEN


def _line(row: Row, now: datetime) -> Line:
    status = row.status
    is_open = isinstance(status, CaseStatus) and status in OPEN
    return Line(
        row=row,
        patient=short_name(row.family_name, row.given_names),
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
