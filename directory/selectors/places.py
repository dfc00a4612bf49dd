"""Where a postcode is, as far as the postcode table knows."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Avg
from django.db.models.functions import Length

from directory.geo import Position
from directory.models import Postcode
from directory.postcodes import InvalidPostcode, UKPostcode


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


def position_of(postcode: str) -> Position | None:
    """The position of a whole postcode as written; None when it is not known, or no postcode."""
    try:
        return _exact(UKPostcode.parse(postcode))
    except InvalidPostcode:
        return None


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
