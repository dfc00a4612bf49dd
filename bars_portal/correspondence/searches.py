"""What a partner's search by patient finds: all that fits is counted, nothing is cut off unjudged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.queries.patients import Demographics
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import is_person, with_demographics
from directory.selectors.access import services_barred_to

# One patient has few bookings and cases; an answer has no more, and says how many there are.
MOST_FOUND = 100
_JUDGED = ("given_names", "family_name", "birth_date", "birth_partly", "postcode")
_AT_ONCE = 500

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Found(Generic[Row]):
    """`rows`: the first MOST_FOUND of `total`. `is_barred`: some fit, and the caller may see none of them."""

    rows: list[Row]
    total: int
    is_barred: bool = False


def find(rows: QuerySet[Row], *, caller: Caller, person: Demographics | None = None) -> Found[Row]:
    """Of rows that have a `patient` and a `service`, in their order."""
    about = rows if person is None else rows.filter(pk__in=_about(rows, person))
    open_to_all = Q(service__allowed_callers=[])
    allowed = about.filter(open_to_all | Q(service__allowed_callers__contains=[caller.ods_code]))
    if barred := services_barred_to(caller):
        allowed = allowed.exclude(service__in=barred)
    found = list(allowed[:MOST_FOUND])
    if not found:
        return Found([], 0, about.exists())
    return Found(found, allowed.count() if len(found) == MOST_FOUND else len(found))


def _about(rows: QuerySet[Row], person: Demographics) -> list[Any]:
    """Keys of those about the person: the database narrows, the names decide, read without the rest."""
    perhaps = rows.filter(with_demographics(person)).order_by()
    told = perhaps.values_list("pk", *(f"patient__{name}" for name in _JUDGED))
    return [
        pk
        for pk, *values in told.iterator(chunk_size=_AT_ONCE)
        if is_person(Patient(**dict(zip(_JUDGED, values, strict=True))), person)
    ]


def merged(sides: Iterable[Found[Row]], key: Callable[[Row], Any]) -> Found[Row]:
    """All together, by the key, the highest first."""
    together = list(sides)
    rows = sorted((row for each in together for row in each.rows), key=key, reverse=True)
    total = sum(each.total for each in together)
    return Found(rows[:MOST_FOUND], total, not total and any(each.is_barred for each in together))
