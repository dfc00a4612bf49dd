"""UK postcodes: whole, or only their outward half. Pure."""

from dataclasses import dataclass
from typing import Self

from bars_portal.nhsuk.forms.text import normalise_postcode

_INWARD_LENGTH = 3
_LONGEST = 20


class InvalidPostcode(ValueError):
    """The text is no UK postcode, nor the first half of one; the message never holds it."""


@dataclass(frozen=True, slots=True)
class UKPostcode:
    """ "LS1 4AP" is outward LS1 and inward 4AP; the inward half is "" when only the outward is known."""

    outward: str
    inward: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Blanks, hyphens and case do not matter. Raises InvalidPostcode."""
        normal = normalise_postcode(text, outward=True) if len(text) <= _LONGEST else ""
        if not normal:
            raise InvalidPostcode("This is not a UK postcode")
        outward, _, inward = normal.partition(" ")
        return cls(outward, inward)

    @property
    def is_whole(self) -> bool:
        return bool(self.inward)

    @property
    def compact(self) -> str:
        """LS14AP: the key of the postcode table."""
        return self.outward + self.inward

    @property
    def length_when_whole(self) -> int:
        """How long the compact form of each postcode of this outward half is."""
        return len(self.outward) + _INWARD_LENGTH

    def __str__(self) -> str:
        return f"{self.outward} {self.inward}".strip()
