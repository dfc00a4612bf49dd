"""What was observed: free and coded observations, the household, birth sex, an estimated age."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import HouseholdComposition
from referrals.content.base import STRICT, Concept, WordsOrNone


class BirthSex(StrEnum):
    """Patient extension UKCore-BirthSex (v3-AdministrativeGender, and unknown)."""

    FEMALE = "F"
    MALE = "M"
    UNDIFFERENTIATED = "UN"
    UNKNOWN = "UNK"

    @property
    def label(self) -> str:
        return {"F": "Female", "M": "Male", "UN": "Undifferentiated", "UNK": "Not known"}[self]


class AgeUnit(StrEnum):
    """UCUM codes of ages; the label is Quantity.unit."""

    DAYS = "d"
    WEEKS = "wk"
    MONTHS = "mo"
    YEARS = "a"

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, config=STRICT)
class EstimatedAge:
    """For who cannot tell a date of birth."""

    number: Annotated[Decimal, Field(ge=0, le=150, max_digits=4, decimal_places=1)]
    unit: AgeUnit = AgeUnit.YEARS


@dataclass(frozen=True, config=STRICT)
class Observation:
    """`value` in words, where the code alone does not say it."""

    concept: Concept
    value: WordsOrNone = ""


@dataclass(frozen=True, config=STRICT)
class Observations:
    listed: tuple[Observation, ...] = ()
    household: HouseholdComposition | None = None
    birth_sex: BirthSex | None = None
    estimated_age: EstimatedAge | None = None

    @property
    def is_stated(self) -> bool:
        return bool(self.listed or self.household or self.birth_sex or self.estimated_age)
