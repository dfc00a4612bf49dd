"""Lists of what the organisation sent: its requests, and messages that were tried to the end in vain."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.selectors import given_up, on_first_way
from referrals.cases.duties import Duty
from referrals.cases.models import MODELS
from referrals.cases.models import Case as SentCase
from referrals.cases.policies import VIEW
from referrals.cases.states import OPEN, CaseStatus, Category

PAGE_SIZE = 25
_LAST_PAGE = 400
_COLUMNS = ("id", "status", "reference", "use_case", "priority", "breach_at", "created_at", "safeguarding")
_JOINED = {
    "service_name": F("service__name"),
    "family_name": F("patient__family_name"),
    "given_names": F("patient__given_names"),
    "died": F("patient__died"),
}


@dataclass(frozen=True)
class SentRow:
    """One line of the list. `reference` is the receiver's; instants are aware.

    `has_lost_update`: nobody knows whether an update of it arrived.
    """

    id: UUID
    category: Category
    status: CaseStatus
    reference: str
    use_case: str
    priority: str
    breach_at: datetime | None
    created_at: datetime
    safeguarding: bool
    service_name: str
    family_name: str
    given_names: str
    died: str
    has_lost_update: bool


@dataclass(frozen=True)
class SentPage:
    rows: tuple[SentRow, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


class Waiting(StrEnum):
    """What waits for a person: home counts it, and the list of what was sent shows it.

    `UNCLEAR`: nobody knows whether it, or an update of it, arrived, or whether it is taken back.
    `PENDING`, `TO_ACT` and `CLOSED` are all that was sent, each once: no outcome yet; somebody has to act on
    what came back (referrals.cases.duties); over, and nothing is left to do.
    """

    UNCLEAR = "not-known"
    LATE = "late"
    PENDING = "pending"
    TO_ACT = "to-act"
    CLOSED = "closed"

    def wanted(self, now: datetime, category: Category) -> Q:
        if self is Waiting.UNCLEAR:
            return Q(status__in=(CaseStatus.UNKNOWN, CaseStatus.REVOKE_UNKNOWN)) | Q(_lost_update(category))
        if self is Waiting.LATE:
            return Q(status__in=sorted(OPEN), breach_at__lt=now)
        waits = Q(Exists(Duty.objects.filter(**{category.value: OuterRef("pk")}, closed_at=None)))
        if self is Waiting.TO_ACT:
            return waits
        is_open = Q(status__in=sorted(OPEN))
        return ~waits & (is_open if self is Waiting.PENDING else ~is_open)


def sent_cases(
    acting: Acting,
    *,
    now: datetime,
    status: CaseStatus | Waiting | None = None,
    category: Category | None = None,
    page: int = 1,
) -> SentPage:
    """Nothing for who may not see sent requests; pages count from 1."""
    if not acting.may(VIEW[Direction.SENT]):
        return SentPage((), 0, 1)
    number = min(max(page, 1), _LAST_PAGE)
    sides = {
        each: _sent(acting, each, _wanted(status, now, each)) for each in Category if category in (None, each)
    }
    # Counted before a name is joined to each.
    total = sum(rows.count() for rows in sides.values())
    # Each side is cut before it is joined, as on the worklist.
    shown_of = [_shown(rows, each) for each, rows in sides.items()]
    first = [side.order_by("-created_at", "id")[: number * PAGE_SIZE] for side in shown_of]
    joined = first[0].union(*first[1:], all=True).order_by("-created_at", "id") if first[1:] else first[0]
    shown = joined[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return SentPage(tuple(_row(each) for each in shown), total, number)


def validation_counts(acting: Acting, now: datetime) -> dict[Waiting, int]:
    """How many of the validations that we asked for stand where."""
    stands = (Waiting.PENDING, Waiting.TO_ACT, Waiting.CLOSED)
    return {each: _count(acting, each, now, (Category.VALIDATION,)) for each in stands}


def unclear_sent_count(acting: Acting, now: datetime) -> int:
    return _count(acting, Waiting.UNCLEAR, now, tuple(Category))


def _count(acting: Acting, status: Waiting, now: datetime, categories: Collection[Category]) -> int:
    """As many as `sent_cases` lists."""
    if not acting.may(VIEW[Direction.SENT]):
        return 0
    return sum(_sent(acting, each, _wanted(status, now, each)).count() for each in categories)


def _wanted(status: CaseStatus | Waiting | None, now: datetime, category: Category) -> Q:
    if isinstance(status, Waiting):
        return status.wanted(now, category)
    return Q(status=status) if status else Q()


def _lost_update(category: Category) -> Q:
    """An update was sent, what is known of the case is what was known before, and no first answer is due."""
    of_case = Cast(OuterRef("pk"), TextField())
    on_its_way = on_first_way(MODELS[category]._meta.label_lower).filter(subject_id=of_case)
    return Q(~Exists(on_its_way), pending__isnull=False)


def _sent(acting: Acting, category: Category, wanted: Q) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[category].objects.filter(
        wanted, organisation=acting.organisation, direction=Direction.SENT
    )
    return rows


def _shown(rows: QuerySet[Any], category: Category) -> QuerySet[Any]:
    named: QuerySet[Any] = rows.annotate(category=Value(category.value, output_field=CharField()))
    lost = Case(When(_lost_update(category), then=True), default=False)
    shown: QuerySet[Any] = named.values(*_COLUMNS, "category", **_JOINED, has_lost_update=lost)
    return shown


def _row(found: dict[str, Any]) -> SentRow:
    kinds = {"category": Category(found["category"]), "status": CaseStatus(found["status"])}
    return SentRow(**{**found, **kinds})


@dataclass(frozen=True)
class Listed:
    """Which sent cases of a category are wanted; what is None is not asked for. `before` is excluded.

    `after`: created_at and id of the last one of the page before.
    """

    category: Category
    chosen: CaseStatus | Waiting | None = None
    use_case: str | None = None
    service_ids: Collection[str] | None = None
    journey: UUID | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    after: tuple[datetime, UUID] | None = None


def listed_cases(acting: Acting, wanted: Listed, *, now: datetime, limit: int) -> list[SentCase]:
    """A page of them, newest first; nothing for who may not see sent requests."""
    if not acting.may(VIEW[Direction.SENT]):
        return []
    ours = {"organisation": acting.organisation, "direction": Direction.SENT}
    exact = {
        "use_case": wanted.use_case,
        "service__service_id__in": wanted.service_ids,
        "journey": wanted.journey,
        "breach_at__gte": wanted.due_from,
        "breach_at__lt": wanted.due_before,
    }
    rows: QuerySet[Any] = MODELS[wanted.category].objects.filter(
        _wanted(wanted.chosen, now, wanted.category),
        **ours,
        **{name: value for name, value in exact.items() if value is not None},
    )
    if wanted.after is not None:
        created_at, pk = wanted.after
        # The first condition alone is what an index can begin at.
        rows = rows.filter(Q(created_at__lt=created_at) | Q(pk__lt=pk), created_at__lte=created_at)
    # A case is large, and a list shows its columns alone.
    shown = rows.select_related("service").defer("resource", "included", "content", "pending")
    return list(shown.order_by("-created_at", "-id")[:limit])


PERMISSION = "exchange.see_given_up"


def given_up_messages(acting: Acting, now: datetime) -> QuerySet[OutboundMessage]:
    """The newest first."""
    if not acting.may(PERMISSION):
        return OutboundMessage.objects.none()
    return given_up(acting.organisation.pk, now=now)


def given_up_count(acting: Acting, now: datetime) -> int:
    return given_up_messages(acting, now).count()
