"""What the organisation's services received: filtered, ordered, in pages, counted; and what must not wait.

One UNION over the tables that are asked for, each side on its own worklist index.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import FlagCategory
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION, BookingStatus
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from directory.models import HealthcareService
from referrals.cases.codes import NOT_STATED, URGENCY
from referrals.cases.models import MODELS, CaseAnswer, Referral, UnmatchedReply, ValidationCase
from referrals.cases.policies import VIEW
from referrals.cases.selectors import RESPONSE_WITH
from referrals.cases.states import CURRENT, OPEN, OVER, TROUBLED, Category, ResponseState
from referrals.worklist.query import (
    CASES,
    LAST_PAGE,
    PAGE_SIZE,
    Counts,
    Filters,
    Held,
    Kind,
    Order,
    Page,
    Place,
    Row,
    row_of,
)

# What a case has and a booking has not, in the types of the case's columns: the sides are joined.
_MISSING = {
    "priority": Value("", output_field=CharField()),
    "flags": Value([], output_field=ArrayField(CharField(max_length=20))),
    "safeguarding": Value(False, output_field=BooleanField()),
    "scene_unsafe": Value(False, output_field=BooleanField()),
    "assigned_to_id": Value(None, output_field=BigIntegerField()),
}
_NOBODY = {name: Value("", output_field=CharField()) for name in ("first_name", "last_name", "username")}


def booking_rows(acting: Acting, chosen: Filters) -> QuerySet[Any]:
    """With the columns of the other sides; none for who may not see received bookings."""
    named: QuerySet[Any] = _filtered_bookings(acting, chosen).annotate(
        kind=Value(Kind.BOOKING.value, output_field=CharField()),
        urgency=Value(NOT_STATED, output_field=IntegerField()),
        due_at=F("start"),
        requester_name=F("sender_name"),
        **_MISSING,
    )
    return named


def bookings_to_come(acting: Acting, now: datetime) -> QuerySet[Booking]:
    """Appointments of today and later that stand."""
    return _received_bookings(acting).filter(status=BookingStatus.BOOKED, start__gte=day_begins(now))


def _at_services(rows: QuerySet[Any], service_ids: Collection[str]) -> QuerySet[Any]:
    """Of these services; of all when none is named."""
    return rows.filter(service__service_id__in=service_ids) if service_ids else rows


def day_begins(now: datetime) -> datetime:
    """Who comes late today is still expected: London's day decides."""
    return london_midnight(in_london(now).date())


def _filtered_bookings(acting: Acting, chosen: Filters) -> QuerySet[Booking]:
    of_a_case = (chosen.status, chosen.priority, chosen.flag, chosen.breached_at, chosen.troubled)
    if any(of_a_case) or chosen.held is not Held.ANYBODY:
        return Booking.objects.none()
    rows = _at_services(_received_bookings(acting), chosen.only_services)
    if chosen.service_id:
        rows = rows.filter(service__service_id=chosen.service_id)
    if chosen.open is None:
        return rows
    stands: dict[str, Any] = {"status": BookingStatus.BOOKED}
    if chosen.bookings_from is not None:
        stands["start__gte"] = chosen.bookings_from
    return rows.filter(**stands) if chosen.open else rows.exclude(**stands)


def _received_bookings(acting: Acting) -> QuerySet[Booking]:
    if not acting.may(VIEW_PERMISSION[Direction.RECEIVED]):
        return Booking.objects.none()
    return Booking.objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED)


def troubled_responses(acting: Acting) -> QuerySet[CaseAnswer]:
    """Answers that the requester may not have, of the acting organisation, unless a later one was taken."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return CaseAnswer.objects.none()
    ours = Q(referral__organisation=acting.organisation) | Q(validation__organisation=acting.organisation)
    return _troubled().filter(ours).select_related(*RESPONSE_WITH).order_by("created_at")


def _troubled() -> QuerySet[CaseAnswer]:
    same = Q(referral=OuterRef("referral_id")) | Q(validation=OuterRef("validation_id"))
    later = CaseAnswer.objects.filter(
        same, created_at__gt=OuterRef("created_at"), state=ResponseState.DELIVERED
    )
    return CaseAnswer.objects.filter(~Exists(later), state__in=TROUBLED)


def _troubled_of(category: Category) -> Exists:
    return Exists(_troubled().filter(**{_OWNERS[category]: OuterRef("pk")}))


def open_unmatched_replies(acting: Acting) -> QuerySet[UnmatchedReply]:
    """Replies that nobody has dealt with yet, of the acting organisation; none for who may not see them."""
    if not acting.may(VIEW[Direction.SENT]):
        return UnmatchedReply.objects.none()
    waiting = UnmatchedReply.objects.filter(organisation=acting.organisation, handled_at__isnull=True)
    told = ("kind", "sender_name", "received_at", "safeguarding", "service__name")
    return waiting.select_related("service").only(*told).order_by("-received_at")


_COLUMNS = (
    *("id", "status", "reference", "use_case", "priority", "due_at", "created_at", "flags"),
    *("safeguarding", "scene_unsafe", "requester_name", "assigned_to_id", "kind"),
)
_JOINED = {
    "dos_id": F("service__service_id"),
    "service_name": F("service__name"),
    "family_name": F("patient__family_name"),
    "given_names": F("patient__given_names"),
    "died": F("patient__died"),
    "birth_date": F("patient__birth_date"),
    "nhs_number": F("patient__nhs_number"),
    "first_name": F("assigned_to__first_name"),
    "last_name": F("assigned_to__last_name"),
    "username": F("assigned_to__username"),
}
# What decides where a row stands; all else is read of the rows of one page.
_KEYS = ("id", "kind", "due_at", "urgency", "created_at")
# PostgreSQL puts what is not stated last.
_ORDERS = {
    Order.BREACH: ("due_at", "urgency", "created_at", "id"),
    Order.PRIORITY: ("urgency", "due_at", "created_at", "id"),
    Order.AGE: ("created_at", "id"),
}
_URGENCY = Case(
    *(
        When(priority__in=[code for code in URGENCY if URGENCY[code] == rank], then=Value(rank))
        for rank in sorted(set(URGENCY.values()))
    ),
    default=Value(NOT_STATED),
    output_field=IntegerField(),
)
# A warning that there is nothing to be warned of does not count.
_ALARMS = {
    FlagCategory.SAFEGUARDING.value: Q(safeguarding=True),
    FlagCategory.SCENE_SAFETY.value: Q(scene_unsafe=True),
}
_OWNERS = {Category.REFERRAL: "referral", Category.VALIDATION: "validation"}
_OPEN = tuple(sorted(CURRENT))
# What was received is never in doubt: it is open or over.
_OVER = tuple(sorted(OVER))


def worklist(
    acting: Acting, *, filters: Filters | None = None, order: Order = Order.BREACH, page: int = 1
) -> Page:
    """Nothing for who may not see received cases; pages count from 1."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Page((), 0, 1)
    chosen = filters or Filters()
    sides = {kind: _side(acting, kind, chosen) for kind in Kind if kind in chosen.kinds}
    number = min(max(page, 1), LAST_PAGE)
    begins = (number - 1) * PAGE_SIZE
    keys = list(_first_keys(sides.values(), order, number * PAGE_SIZE)[begins:])
    # A page that is not full is the last one.
    is_last = len(keys) < PAGE_SIZE and (keys or number == 1)
    total = begins + len(keys) if is_last else sum(rows.count() for rows in sides.values())
    return Page(tuple(_rows_of(sides, keys)), total, number)


def worklist_after(
    acting: Acting, place: Place | None, *, filters: Filters, order: Order, limit: int
) -> list[Row]:
    """The rows that follow the place in this order: they stay the same while others come and go."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return []
    sides = {kind: _side(acting, kind, filters) for kind in Kind if kind in filters.kinds}
    if place is not None:
        sides = {kind: rows.filter(_follows(place, _ORDERS[order])) for kind, rows in sides.items()}
    return _rows_of(sides, _first_keys(sides.values(), order, limit))


def _first_keys(sides: Iterable[QuerySet[Any]], order: Order, limit: int) -> QuerySet[Any]:
    """Each side is cut before it is joined: no page needs more than each side's own first rows."""
    first = [rows.values(*_KEYS).order_by(*_ORDERS[order])[:limit] for rows in sides]
    joined = first[0].union(*first[1:], all=True).order_by(*_ORDERS[order]) if len(first) > 1 else first[0]
    return joined[:limit]


def _rows_of(sides: Mapping[Kind, QuerySet[Any]], keys: Iterable[dict[str, Any]]) -> list[Row]:
    """In the order of the keys; what has left its side meanwhile is left out."""
    places, found = [(Kind(each["kind"]), each["id"]) for each in keys], {}
    for kind, rows in sides.items():
        named = {**_JOINED, **_NOBODY} if kind is Kind.BOOKING else _JOINED
        if ids := [pk for of, pk in places if of is kind]:
            shown = rows.filter(pk__in=ids).values(*_COLUMNS, **named)
            found.update({(kind, each["id"]): each for each in shown})
    troubled = _troubled_among([pk for kind, pk in places if kind is not Kind.BOOKING])
    return [row_of(found[each], troubled=each[1] in troubled) for each in places if each in found]


def _troubled_among(cases: Collection[UUID]) -> set[UUID]:
    if not cases:
        return set()
    answers = _troubled().filter(Q(referral__in=cases) | Q(validation__in=cases))
    return {one or other for one, other in answers.values_list("referral_id", "validation_id")}


def _follows(place: Place, order: Sequence[str]) -> Q:
    """Behind it by the first column in which they differ; what has no time goes last."""
    column, *others = order
    value = getattr(place, column)
    same = Q(**{column: value}) if value is not None else Q(**{f"{column}__isnull": True})
    behind = Q(pk__in=[])
    if value is not None:
        behind = Q(**{f"{column}__gt": value})
        if column == "due_at":
            behind |= Q(due_at__isnull=True)
    return behind | (same & _follows(place, others)) if others else behind


def worklist_counts(acting: Acting, *, now: datetime, services: Collection[str] = ()) -> Counts:
    """Of the open cases, whatever the filters say; and what waits above them. `services`: of these alone."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Counts(unmatched=open_unmatched_replies(acting).count())
    found = [_counted(acting, category, now, services) for category in Category]
    names = ("open", "breached", "unassigned", "mine", "safeguarding")
    return Counts(
        **{name: sum(each[name] for each in found) for name in names},
        unmatched=open_unmatched_replies(acting).count(),
        **_troubles(acting, services),
        bookings=_at_services(bookings_to_come(acting, now), services).count(),
    )


def _troubles(acting: Acting, services: Collection[str]) -> dict[str, int]:
    """Answers that may not have arrived, and the cases that have such a one."""
    answers = troubled_responses(acting)
    if services:
        at = {f"{owner}__service__service_id__in": services for owner in _OWNERS.values()}
        answers = answers.filter(Q(**at, _connector=Q.OR))
    cases = {owner: Count(owner, distinct=True) for owner in _OWNERS.values()}
    found = answers.aggregate(answers=Count("pk"), **cases)
    return {
        "troubled_answers": found["answers"],
        "answers_troubled": sum(found[owner] for owner in _OWNERS.values()),
    }


def open_cases_held(person: User, organisation: Organisation, category: Category) -> QuerySet[Any]:
    """Received, and taken by this person."""
    rows: QuerySet[Any] = MODELS[category].objects.filter(
        organisation=organisation, direction=Direction.RECEIVED, status__in=_OPEN, assigned_to=person
    )
    return rows


def _side(acting: Acting, kind: Kind, chosen: Filters) -> QuerySet[Any]:
    category = kind.category
    if category is None:
        return booking_rows(acting, chosen)
    return _shown(_filtered(acting, category, chosen), category)


def _counted(acting: Acting, category: Category, now: datetime, services: Collection[str]) -> dict[str, int]:
    return (
        _at_services(_received(acting, category), services)
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
        wanted &= _ALARMS.get(chosen.flag, Q(flags__contains=[chosen.flag]))
    if chosen.breached_at is not None:
        wanted &= Q(breach_at__lt=chosen.breached_at)
    if chosen.troubled:
        wanted &= Q(_troubled_of(category))
    if chosen.held is not Held.ANYBODY:
        wanted &= Q(assigned_to=chosen.person_id if chosen.held is Held.PERSON else None)
    return _at_services(_received(acting, category), chosen.only_services).filter(wanted)


def _shown(rows: QuerySet[Any], category: Category) -> QuerySet[Any]:
    named: QuerySet[Any] = rows.annotate(
        kind=Value(category.value, output_field=CharField()),
        due_at=F("breach_at"),
        urgency=_URGENCY,
    )
    return named


_MODELS: dict[Kind, type[Any]] = {
    Kind.REFERRAL: Referral,
    Kind.VALIDATION: ValidationCase,
    Kind.BOOKING: Booking,
}
_VIEW = dict.fromkeys(CASES, VIEW[Direction.RECEIVED]) | {Kind.BOOKING: VIEW_BOOKINGS[Direction.RECEIVED]}


def breached_validations(acting: Acting, direction: Direction, *, now: datetime) -> QuerySet[ValidationCase]:
    """Longest overdue first, of the acting organisation (standard section 9, workflow 4).

    Sent ones count too: nobody may have looked at the patient, and nobody else will raise the alarm.
    """
    if not acting.may(VIEW[direction]):
        return ValidationCase.objects.none()
    rows = ValidationCase.objects.filter(
        organisation=acting.organisation,
        direction=direction,
        status__in=sorted(OPEN),
        breach_at__lt=now,
    )
    # Of the columns of a case, what an alarm tells.
    told = ("service__name", "patient__family_name", "patient__given_names", "patient__died")
    shown = rows.select_related("service", "patient").only("breach_at", "priority", *told)
    return shown.order_by("breach_at", "id")


def arrived_since(acting: Acting, moment: datetime, kinds: Collection[Kind] = CASES) -> int:
    """How much of these kinds was received after `moment`."""
    return sum(
        _MODELS[kind]
        .objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED, created_at__gt=moment)
        .count()
        for kind in kinds
        if acting.may(_VIEW[kind])
    )


def services_with_cases(acting: Acting) -> list[tuple[str, str]]:
    """DoS service id and name of the acting organisation's services that others send to, by name."""
    takes = Q(takes_referrals=True) | Q(takes_bookings=True)
    rows = HealthcareService.objects.filter(takes, provider=acting.organisation, hosted=True)
    return list(rows.order_by("name").values_list("service_id", "name"))
