"""Lists of what the organisation sent: its requests, and messages that were tried to the end in vain."""

from collections.abc import Collection, Mapping
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
from referrals.cases.states import OPEN, OVER, UNCLEAR, CaseStatus, Category

PAGE_SIZE = 25
_LAST_PAGE = 400
# As the index of what was sent, so that a page reads its rows alone.
_NEWEST = ("-created_at", "-id")
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
            return Q(status__in=sorted(UNCLEAR)) | Q(_lost_update(category))
        if self is Waiting.LATE:
            return Q(status__in=sorted(OPEN), breach_at__lt=now)
        waits = Q(Exists(Duty.objects.filter(**{category.value: OuterRef("pk")}, closed_at=None)))
        if self is Waiting.TO_ACT:
            return waits
        return ~waits & Q(status__in=sorted(OPEN if self is Waiting.PENDING else OVER))


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
    total = sum(rows.count() for rows in sides.values())
    keys = _first_keys(sides, number * PAGE_SIZE)[(number - 1) * PAGE_SIZE :]
    return SentPage(tuple(_rows_of(sides, list(keys))), total, number)


def _first_keys(sides: Mapping[Category, QuerySet[Any]], limit: int) -> QuerySet[Any]:
    """Each side is cut before it is joined, as on the worklist; nothing before a page is joined at all."""
    named = [
        rows.annotate(category=Value(each.value, output_field=CharField())) for each, rows in sides.items()
    ]
    first = [rows.values("id", "category", "created_at").order_by(*_NEWEST)[:limit] for rows in named]
    joined: QuerySet[Any] = first[0].union(*first[1:], all=True).order_by(*_NEWEST) if first[1:] else first[0]
    return joined[:limit]


def _rows_of(sides: Mapping[Category, QuerySet[Any]], keys: Collection[dict[str, Any]]) -> list[SentRow]:
    """In the order of the keys; what has left its side meanwhile is left out."""
    found: dict[UUID, SentRow] = {}
    for category, rows in sides.items():
        if ids := [each["id"] for each in keys if each["category"] == category]:
            found |= {each["id"]: _row(each) for each in _shown(rows.filter(pk__in=ids), category)}
    return [found[each["id"]] for each in keys if each["id"] in found]


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
