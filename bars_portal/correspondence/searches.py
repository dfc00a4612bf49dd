"""What a partner's search by patient finds: all that fits is counted, nothing is cut off unjudged.

It comes in pages, each with the address of the next one. That names nobody: what was asked for is sealed in
it, with the last row of the page before, so that rows which come or go meanwhile shift nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

import orjson
from django.db.models import Model, Q, QuerySet

from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.queries.patients import Demographics
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import is_person, with_demographics
from bars_portal.sealing import Sealer
from directory.selectors.access import services_barred_to

# Of one answer, which says how many there are: one patient has few bookings and cases.
MOST_FOUND = 100
NEXT_PAGE = "next-page-token"
# How long the address of a next page is good.
_GOOD_FOR = timedelta(hours=1)
_SEALER = Sealer("bars_portal.correspondence.searches")
_JUDGED = ("given_names", "family_name", "birth_date", "birth_partly", "postcode")
_AT_ONCE = 500

Row = TypeVar("Row", bound=Model)
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Order:
    """Newest first by these fields, which are times, and then by key; `after`: their values in one row."""

    fields: tuple[str, ...]
    after: tuple[datetime | UUID, ...] = ()

    def __call__(self, row: Model) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in (*self.fields, "pk"))

    def sorted(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return rows.order_by(*(f"-{name}" for name in (*self.fields, "pk")))

    def beyond(self) -> Q:
        """What comes after that row."""
        names = (*self.fields, "pk")
        known = list(zip(names, self.after, strict=False))
        steps = (
            Q(**dict(known[:place]), **{f"{name}__lt": value}) for place, (name, value) in enumerate(known)
        )
        return reduce(or_, steps, Q())


@dataclass(frozen=True)
class Asked:
    """A search as it was first asked for, and after which row its page begins (none: at the beginning)."""

    params: Params
    after: tuple[datetime | UUID, ...] = ()

    @classmethod
    def of(cls, params: Params, *, kind: str, now: datetime) -> Self:
        """`kind`: the resource type. Raises OutcomeError (400) for a page that was not given lately."""
        tokens = [value for name, value in params if name == NEXT_PAGE]
        if not tokens:
            return cls(params)
        opened = _SEALER.unseal(tokens[0].encode()) if len(params) == 1 else None
        told = orjson.loads(opened) if opened else {}
        if told.get("kind") != kind or datetime.fromisoformat(told["until"]) < now:
            raise fault(OutcomeCode.VALUE, f"{NEXT_PAGE} is not, alone, of a page that was given lately")
        *times, key = told["after"]
        after: tuple[datetime | UUID, ...] = (*map(datetime.fromisoformat, times), UUID(key))
        return cls([(name, value) for name, value in told["params"]], after)

    def next_link(self, found: "Found[Any]", *, kind: str, now: datetime) -> str:
        """The address of the page after this one; "" when there is none."""
        if not found.is_cut:
            return ""
        *times, key = found.order(found.rows[-1])
        told = {
            "kind": kind,
            "until": (now + _GOOD_FOR).isoformat(),
            "params": list(map(list, self.params)),
            "after": [*(each.isoformat() for each in times), str(key)],
        }
        return f"{kind}?{NEXT_PAGE}={_SEALER.seal(orjson.dumps(told)).decode()}"


@dataclass(frozen=True)
class Found(Generic[Row]):
    """`rows`: at most MOST_FOUND of the `total` of all pages; `is_cut`: others come after them.

    `is_barred`: some fit, and the caller may see none of them.
    """

    rows: list[Row]
    total: int
    order: Order
    is_cut: bool = False
    is_barred: bool = False


def find(
    rows: QuerySet[Row], *, order: Order, caller: Caller, person: Demographics | None = None
) -> Found[Row]:
    """Of rows that have a `patient` and a `service`."""
    about = rows if person is None else rows.filter(pk__in=_about(rows, person))
    open_to_all = Q(service__allowed_callers=[])
    allowed = about.filter(open_to_all | Q(service__allowed_callers__contains=[caller.ods_code]))
    if barred := services_barred_to(caller):
        allowed = allowed.exclude(service__in=barred)
    found = list(order.sorted(allowed.filter(order.beyond()))[: MOST_FOUND + 1])
    is_cut = len(found) > MOST_FOUND
    total = allowed.count() if is_cut or order.after else len(found)
    return Found(found[:MOST_FOUND], total, order, is_cut, not total and about.exists())


def _about(rows: QuerySet[Row], person: Demographics) -> list[Any]:
    """Keys of those about the person: the database narrows, the names decide, read without the rest."""
    perhaps = rows.filter(with_demographics(person)).order_by()
    told = perhaps.values_list("pk", *(f"patient__{name}" for name in _JUDGED))
    return [
        pk
        for pk, *values in told.iterator(chunk_size=_AT_ONCE)
        if is_person(Patient(**dict(zip(_JUDGED, values, strict=True))), person)
    ]


def merged(sides: Iterable[Found[Row]], order: Order) -> Found[Row]:
    """All together, in their one order."""
    together = list(sides)
    rows = sorted((row for each in together for row in each.rows), key=order, reverse=True)
    total = sum(each.total for each in together)
    is_cut = len(rows) > MOST_FOUND or any(each.is_cut for each in together)
    is_barred = not total and any(each.is_barred for each in together)
    return Found(rows[:MOST_FOUND], total, order, is_cut, is_barred)
