"""What the organisation's services received: filtered, ordered, in pages, counted.

One UNION over the tables that are asked for, each side on its own worklist index.
"""

from datetime import datetime
from typing import Any, cast

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields import CharField

from bars_portal.accounts.acting import Acting
from bookings.states import BookingStatus
from referrals.answer_states import TROUBLED
from referrals.models import MODELS, CaseAnswer
from referrals.permissions import VIEW
from referrals.priorities import NOT_STATED, URGENCY
from referrals.selectors.answers import troubled_answers
from referrals.selectors.history import open_unmatched_replies
from referrals.selectors.worklist_bookings import booking_rows, bookings_to_come
from referrals.states import CURRENT, CaseStatus, Category, Direction
from referrals.worklist_query import LAST_PAGE, PAGE_SIZE, Counts, Filters, Held, Kind, Order, Page, Row

_COLUMNS = (
    *("id", "status", "reference", "use_case", "priority", "due_at", "created_at", "flags"),
    *("safeguarding", "scene_unsafe", "requester_name", "assigned_to_id", "kind", "urgency"),
)
_JOINED = {
    "service_name": F("service__name"),
    "family_name": F("patient__family_name"),
    "given_names": F("patient__given_names"),
    "birth_date": F("patient__birth_date"),
    "nhs_number": F("patient__nhs_number"),
    "first_name": F("assigned_to__first_name"),
    "last_name": F("assigned_to__last_name"),
    "username": F("assigned_to__username"),
}
# PostgreSQL puts what is not stated last.
_ORDERS = {
    Order.BREACH: ("due_at", "urgency", "created_at", "id"),
    Order.PRIORITY: ("urgency", "due_at", "created_at", "id"),
    Order.AGE: ("created_at", "id"),
}
_URGENCY = Case(
    *(When(priority=code, then=Value(rank)) for code, rank in URGENCY.items()),
    default=Value(NOT_STATED),
    output_field=IntegerField(),
)
_OWNERS = {Category.REFERRAL: "referral", Category.VALIDATION: "validation"}
_OPEN = tuple(sorted(CURRENT))
_OVER = tuple(sorted(set(CaseStatus) - CURRENT))


def worklist(
    acting: Acting, *, filters: Filters | None = None, order: Order = Order.BREACH, page: int = 1
) -> Page:
    """Nothing for who may not see received cases; pages count from 1."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Page((), 0, 1)
    chosen = filters or Filters()
    sides = [_side(acting, kind, chosen) for kind in Kind if kind in chosen.kinds]
    number = min(max(page, 1), LAST_PAGE)
    # Each side is cut before it is joined: no page needs more than each side's own first rows.
    first = [rows.order_by(*_ORDERS[order])[: number * PAGE_SIZE] for rows in sides]
    joined = first[0].union(*first[1:], all=True).order_by(*_ORDERS[order]) if len(first) > 1 else first[0]
    shown = joined[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Page(tuple(_row(each) for each in shown), sum(rows.count() for rows in sides), number)


def worklist_counts(acting: Acting, *, now: datetime) -> Counts:
    """Of the open cases, whatever the filters say; and what waits above them."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Counts(unmatched=open_unmatched_replies(acting).count())
    found = [_counted(acting, category, now) for category in Category]
    names = ("open", "breached", "unassigned", "mine", "safeguarding")
    return Counts(
        **{name: sum(each[name] for each in found) for name in names},
        unmatched=open_unmatched_replies(acting).count(),
        answers_troubled=troubled_answers(acting).count(),
        bookings=bookings_to_come(acting, now).count(),
    )


def _side(acting: Acting, kind: Kind, chosen: Filters) -> QuerySet[Any]:
    category = kind.category
    if category is None:
        return booking_rows(acting, chosen, columns=_COLUMNS, joined=_JOINED)
    return _shown(_filtered(acting, category, chosen), category)


def _counted(acting: Acting, category: Category, now: datetime) -> dict[str, int]:
    return (
        _received(acting, category)
        .filter(status__in=_OPEN)
        .aggregate(
            open=Count("pk"),
            breached=Count("pk", filter=Q(breach_at__lt=now)),
            unassigned=Count("pk", filter=Q(assigned_to=None)),
            mine=Count("pk", filter=Q(assigned_to=acting.user)),
            safeguarding=Count("pk", filter=Q(safeguarding=True)),
        )
    )


def _received(acting: Acting, category: Category) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[category].objects.filter(
        organisation=acting.organisation, direction=Direction.RECEIVED
    )
    return rows


def _filtered(acting: Acting, category: Category, chosen: Filters) -> QuerySet[Any]:
    wanted = Q()
    if chosen.status is not None:
        wanted &= Q(status=chosen.status)
    elif chosen.open is not None:
        wanted &= Q(status__in=_OPEN if chosen.open else _OVER)
    if chosen.service_id:
        wanted &= Q(service__service_id=chosen.service_id)
    if chosen.priority:
        wanted &= Q(priority=chosen.priority)
    if chosen.flag:
        wanted &= Q(flags__contains=[chosen.flag])
    if chosen.held is not Held.ANYBODY:
        wanted &= Q(assigned_to=chosen.person_id if chosen.held is Held.PERSON else None)
    return _received(acting, category).filter(wanted)


def _shown(rows: QuerySet[Any], category: Category) -> QuerySet[Any]:
    answers = CaseAnswer.objects.filter(**{_OWNERS[category]: OuterRef("pk")}).order_by("-created_at")
    named: QuerySet[Any] = rows.annotate(
        kind=Value(category.value, output_field=CharField()),
        due_at=F("breach_at"),
        urgency=_URGENCY,
        answer_state=Subquery(answers.values("state")[:1]),
    ).values(*_COLUMNS, "answer_state", **_JOINED)
    return named


def _row(found: dict[str, Any]) -> Row:
    names = " ".join(each for each in (found["first_name"], found["last_name"]) if each)
    kind = Kind(found["kind"])
    plain = ("id", "reference", "use_case", "priority", "due_at", "safeguarding", "scene_unsafe")
    told = ("service_name", "requester_name", "family_name", "given_names", "birth_date", "nhs_number")
    return Row(
        **{name: found[name] for name in (*plain, *told, "assigned_to_id")},
        kind=kind,
        status=BookingStatus(found["status"]) if kind is Kind.BOOKING else CaseStatus(found["status"]),
        received_at=found["created_at"],
        flags=tuple(cast(list[str], found["flags"])),
        assigned_to_name=names or found["username"] or "",
        answer_troubled=found["answer_state"] in TROUBLED,
    )
