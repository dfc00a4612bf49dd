"""Where a postcode is, as far as the postcode table knows, and the nearest services of a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Avg, F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Left, Length

from directory.models import SORTED_BY, HealthcareService, Place, Postcode
from directory.postcodes import Position, UKPostcode, distance_miles, surroundings


class Nearness(StrEnum):
    """How well a search knows the place that distances are measured from."""

    EXACT = "exact"
    # The middle of all postcodes with the same first half.
    AREA = "area"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Origin:
    """`position` is None exactly when the nearness is unknown."""

    postcode: UKPostcode
    position: Position | None
    nearness: Nearness


def locate(postcode: UKPostcode) -> Origin:
    """The postcode itself, else the middle of its area, else unknown."""
    if postcode.is_whole and (position := _exact(postcode)):
        return Origin(postcode, position, Nearness.EXACT)
    if position := _middle(postcode):
        return Origin(postcode, position, Nearness.AREA)
    return Origin(postcode, None, Nearness.UNKNOWN)


def _exact(postcode: UKPostcode) -> Position | None:
    row = Postcode.objects.filter(code=postcode.compact).values_list("latitude", "longitude").first()
    return Position(*row) if row else None


def _middle(postcode: UKPostcode) -> Position | None:
    area = Postcode.objects.annotate(length=Length("code")).filter(
        # The length keeps LS11 4AP out of LS1.
        code__startswith=postcode.outward,
        length=postcode.length_when_whole,
    )
    middle = area.aggregate(latitude=Avg("latitude"), longitude=Avg("longitude"))
    return Position(**middle) if middle["latitude"] is not None else None


@dataclass(frozen=True)
class Measured:
    """`miles` is None where the place of the service is not known."""

    key: UUID
    miles: float | None


def nearest(
    services: "QuerySet[HealthcareService, HealthcareService]", *, here: Position, start: int, stop: int
) -> list[Measured]:
    """Places `start` to `stop` of the services by distance, then by name; those of unknown distance last.

    The index knows neighbours on a flat map of degrees, where east and north do not measure the same. So it
    is asked twice: for as many neighbours as are wanted, whose farthest one gives a radius that certainly
    holds the nearest; then for everything within that radius.
    """
    placed = _placed(services, here, stop)
    found = [Measured(key, miles) for miles, _name, key in placed[start:stop]]
    if len(placed) >= stop:
        return found
    known = len(placed)
    return [*found, *_unplaced(services, max(start - known, 0), stop - known)]


def _placed(services: Any, here: Position, wanted: int) -> list[tuple[float, str, UUID]]:
    """At least as many as are wanted, if there are so many; nearest first."""
    known = services.filter(latitude__isnull=False)
    around = _measure(known.order_by(_FlatDistance(here))[:wanted], here)
    if len(around) == wanted and wanted:
        around = _measure(known.order_by().alias(near=_Within(here, around[-1][0])).filter(near=True), here)
    return around


def _unplaced(services: Any, start: int, stop: int) -> Sequence[Measured]:
    unknown = services.filter(latitude__isnull=True).order_by(Left("folded_name", SORTED_BY), "service_id")
    return [Measured(key, None) for key in unknown.values_list("pk", flat=True)[start:stop]]


def _measure(services: Any, here: Position) -> list[tuple[float, str, UUID]]:
    rows = services.values_list("pk", "folded_name", "latitude", "longitude")
    return sorted(
        (distance_miles(here, Position(latitude, longitude)), name, key)
        for key, name, latitude, longitude in rows
    )


class _FlatDistance(Func):
    """Degrees between a service and a position: the order in which the index walks."""

    template = "(%(expressions)s)"
    arg_joiner = " <-> "
    output_field = FloatField()

    def __init__(self, here: Position) -> None:
        super().__init__(_place(), _point(here))


class _Within(Func):
    """Whether a service is in the rectangle around a circle."""

    template = "(%(expressions)s)"
    arg_joiner = " <@ "
    conditional = True

    def __init__(self, here: Position, miles: float) -> None:
        south_west, north_east = surroundings(here, miles)
        box = Func(_point(south_west), _point(north_east), function="box")
        super().__init__(_place(), box)


def _place() -> Place:
    return Place(F("longitude"), F("latitude"))


def _point(position: Position) -> Place:
    return Place(Value(position.longitude), Value(position.latitude))
