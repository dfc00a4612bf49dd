"""Where it happened, or where somebody waits: by address, grid, what3words or position, and in words."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import LocationType
from referrals.content.base import STRICT, Line, LineOrNone, WordsOrNone

_Digits = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{1,12})?$")]
# Metres on the national grid.
_Grid = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{1,7}(?:\.[0-9]{1,6})?)?$")]
_ThreeWords = Annotated[str, StringConstraints(pattern=r"^(?:[\p{L}]{1,40}(?:\.[\p{L}]{1,40}){2})?$")]


@dataclass(frozen=True, config=STRICT)
class Position:
    """WGS 84, in degrees."""

    latitude: Annotated[Decimal, Field(ge=-90, le=90, decimal_places=8)]
    longitude: Annotated[Decimal, Field(ge=-180, le=180, decimal_places=8)]


@dataclass(frozen=True, config=STRICT)
class Place:
    """A Location. `accuracy` in metres; `what3words` without the slashes; `directions` in words."""

    type: LocationType = LocationType.INCIDENT
    name: LineOrNone = ""
    address_lines: tuple[Line, ...] = ()
    town: LineOrNone = ""
    postcode: LineOrNone = ""
    uprn: _Digits = ""
    eastings: _Grid = ""
    northings: _Grid = ""
    what3words: _ThreeWords = ""
    position: Position | None = None
    accuracy: _Digits = ""
    directions: WordsOrNone = ""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if bool(self.eastings) != bool(self.northings):
            raise ValueError("Eastings and northings go together.")
        address = self.address_lines or self.town or self.postcode
        if not (address or self.uprn or self.eastings or self.what3words or self.position):
            raise ValueError("An address, UPRN, grid, what3words or position is needed.")
        return self
