"""What a worklist shows and in which order: plain facts, no database."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from bookings.states import BookingStatus
from referrals.cases.states import CaseStatus, Category

PAGE_SIZE = 25
# Nobody pages further; the filters find what is older.
LAST_PAGE = 400


class Order(StrEnum):
    """By breach time (no time goes last), by priority, or by age; each settles ties by the others."""

    BREACH = "breach"
    PRIORITY = "priority"
    AGE = "age"


class Kind(StrEnum):
    """What was received."""

    REFERRAL = Category.REFERRAL.value
    VALIDATION = Category.VALIDATION.value
    BOOKING = "booking"

    @property
    def category(self) -> Category | None:
        """None for a booking."""
        return None if self is Kind.BOOKING else Category(self.value)


CASES = (Kind.REFERRAL, Kind.VALIDATION)


class Held(StrEnum):
    """Whose cases: anybody's, nobody's, or those of one person (`Filters.person_id`)."""

    ANYBODY = "anybody"
    NOBODY = "nobody"
    PERSON = "person"


@dataclass(frozen=True)
class Filters:
    """Every part may be left open. `flag` is a code of flag-categories-bars; `open` None: both.

    Bookings have no status of a case, priority, flag, holder, time to answer by or answer: such a filter
    leaves them out. They are open from `bookings_from` on. `breached_at`: only what was due before it;
    `troubled`: only with an answer that the requester may not have.
    """

    open: bool | None = True
    service_id: str = ""
    status: CaseStatus | None = None
    kinds: tuple[Kind, ...] = CASES
    bookings_from: datetime | None = None
    priority: str = ""
    flag: str = ""
    held: Held = Held.ANYBODY
    person_id: int | None = None
    breached_at: datetime | None = None
    troubled: bool = False
    # Of an application that may not act for all: its services.
    only_services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One received case or booking on the worklist. Instants are aware; "" or None is not stated.

    `due_at` is when a case breaches, and when an appointment starts.
    """

    id: UUID
    kind: Kind
    status: CaseStatus | BookingStatus
    reference: str
    use_case: str
    priority: str
    due_at: datetime | None
    received_at: datetime
    flags: tuple[str, ...]
    safeguarding: bool
    scene_unsafe: bool
    service_id: str
    service_name: str
    requester_name: str
    family_name: str
    given_names: str
    died: str
    birth_date: date | None
    nhs_number: str
    assigned_to_id: int | None
    assigned_to_name: str
    answer_troubled: bool


def row_of(found: dict[str, Any], *, troubled: bool) -> Row:
    """Of the columns that the list reads."""
    names = " ".join(each for each in (found["first_name"], found["last_name"]) if each)
    kind = Kind(found["kind"])
    plain = ("id", "reference", "use_case", "priority", "due_at", "safeguarding", "scene_unsafe")
    told = (
        "service_name",
        "requester_name",
        "family_name",
        "given_names",
        "died",
        "birth_date",
        "nhs_number",
    )
    return Row(
        **{name: found[name] for name in (*plain, *told, "assigned_to_id")},
        kind=kind,
        status=BookingStatus(found["status"]) if kind is Kind.BOOKING else CaseStatus(found["status"]),
        received_at=found["created_at"],
        service_id=found["dos_id"],
        flags=tuple(found["flags"]),
        assigned_to_name=names or found["username"] or "",
        answer_troubled=troubled,
    )


@dataclass(frozen=True)
class Place:
    """Where a row stands in the list, by what lists are ordered by."""

    due_at: datetime | None
    urgency: int
    created_at: datetime
    id: UUID


@dataclass(frozen=True)
class Page:
    """One page of rows; `number` counts from 1."""

    rows: tuple[Row, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True)
class Counts:
    """Open cases of the organisation, whatever the filters say; appointments that are still to come."""

    open: int = 0
    breached: int = 0
    unassigned: int = 0
    mine: int = 0
    safeguarding: int = 0
    unmatched: int = 0
    # Cases that have one, and how many such answers there are.
    answers_troubled: int = 0
    troubled_answers: int = 0
    bookings: int = 0
