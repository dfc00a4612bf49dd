"""Lists of what the organisation sent: its requests, and messages that were tried to the end in vain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, QuerySet, Value

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.selectors import given_up
from referrals.cases.models import MODELS
from referrals.cases.states import CaseStatus, Category
from referrals.permissions import VIEW

PAGE_SIZE = 25
_LAST_PAGE = 400
_COLUMNS = ("id", "status", "reference", "use_case", "priority", "breach_at", "created_at", "safeguarding")
_JOINED = {
    "service_name": F("service__name"),
    "family_name": F("patient__family_name"),
    "given_names": F("patient__given_names"),
}


@dataclass(frozen=True)
class SentRow:
    """One line of the list. `reference` is the receiver's; instants are aware."""

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


@dataclass(frozen=True)
class SentPage:
    rows: tuple[SentRow, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def sent_cases(
    acting: Acting, *, status: CaseStatus | None = None, category: Category | None = None, page: int = 1
) -> SentPage:
    """Nothing for who may not see sent requests; pages count from 1."""
    if not acting.may(VIEW[Direction.SENT]):
        return SentPage((), 0, 1)
    number = min(max(page, 1), _LAST_PAGE)
    sides = [_side(acting, each, status) for each in Category if category in (None, each)]
    total = sum(side.count() for side in sides)
    # Each side is cut before it is joined, as on the worklist.
    first = [side.order_by("-created_at", "id")[: number * PAGE_SIZE] for side in sides]
    joined = first[0].union(*first[1:], all=True).order_by("-created_at", "id") if first[1:] else first[0]
    shown = joined[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return SentPage(tuple(_row(each) for each in shown), total, number)


def unclear_sent_count(acting: Acting) -> int:
    """Requests of which nobody knows whether they arrived, or whether they are taken back."""
    if not acting.may(VIEW[Direction.SENT]):
        return 0
    unclear = (CaseStatus.UNKNOWN, CaseStatus.REVOKE_UNKNOWN)
    return sum(
        MODELS[category]
        .objects.filter(organisation=acting.organisation, direction=Direction.SENT, status__in=unclear)
        .count()
        for category in Category
    )


def _side(acting: Acting, category: Category, status: CaseStatus | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[category].objects.filter(
        organisation=acting.organisation, direction=Direction.SENT
    )
    if status is not None:
        rows = rows.filter(status=status)
    named: QuerySet[Any] = rows.annotate(category=Value(category.value, output_field=CharField()))
    shown: QuerySet[Any] = named.values(*_COLUMNS, "category", **_JOINED)
    return shown


def _row(found: dict[str, Any]) -> SentRow:
    kinds = {"category": Category(found["category"]), "status": CaseStatus(found["status"])}
    return SentRow(**{**found, **kinds})


PERMISSION = "exchange.see_given_up"


def given_up_messages(acting: Acting) -> QuerySet[OutboundMessage]:
    """The newest first."""
    if not acting.may(PERMISSION):
        return OutboundMessage.objects.none()
    return given_up(acting.organisation.pk)


def given_up_count(acting: Acting) -> int:
    return given_up_messages(acting).count()
