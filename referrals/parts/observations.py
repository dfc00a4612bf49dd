"""What was observed: free and coded observations, the household, birth sex, an estimated age, wishes."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.exchange.fhir.json import decimal_text, parse_decimal
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts
from referrals.cases.codes import STRICT, Concept, WordsOrNone
from referrals.parts.base import (
    Frame,
    code_in,
    concept_of,
    concept_to_fhir,
    each_tried,
    filled,
    standing,
    tried,
    value_words,
)


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


@checked.dataclass(frozen=True, config=STRICT)
class EstimatedAge:
    """For who cannot tell a date of birth."""

    number: Annotated[Decimal, Field(ge=0, le=150, max_digits=4, decimal_places=1)]
    unit: AgeUnit = AgeUnit.YEARS


@checked.dataclass(frozen=True, config=STRICT)
class Observation:
    """`value` in words, where the code alone does not say it."""

    concept: Concept
    value: WordsOrNone = ""


@checked.dataclass(frozen=True, config=STRICT)
class Observations:
    listed: tuple[Observation, ...] = ()
    household: HouseholdComposition | None = None
    birth_sex: BirthSex | None = None
    estimated_age: EstimatedAge | None = None

    @property
    def is_stated(self) -> bool:
        return bool(self.listed or self.household or self.birth_sex or self.estimated_age)


_UCUM = "http://unitsofmeasure.org"
WISHES = "Expectations and wishes"
ESTIMATED_AGE = "Estimated age of the patient"


def observation_entries(frame: Frame, stated: Observations, *, wishes: str) -> list[Entry]:
    entries = []
    for number, each in enumerate(stated.listed):
        value = {"valueString": each.value}
        entries.append((f"observation {number}", _seen(frame, concept_to_fhir(each.concept), value)))
    if stated.household is not None:
        entries.append(("household", _seen(frame, {"coding": [stated.household.coding]}, {})))
    if stated.estimated_age is not None:
        entries.append(("age", _seen(frame, {"text": ESTIMATED_AGE}, _age(stated.estimated_age))))
    if wishes:
        entries.append(("wishes", _seen(frame, {"text": WISHES}, {"valueString": wishes})))
    return [(frame.url(part), observation) for part, observation in entries]


def _seen(frame: Frame, code: Resource, value: Resource) -> Resource:
    return filled(
        {
            **frame.head("Observation"),
            "status": "final",
            "code": code,
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "effectiveDateTime": frame.stamp,
            "performer": [frame.ref("practitioner")],
            **value,
        }
    )


def _age(age: EstimatedAge) -> Resource:
    number = parse_decimal(format(age.number, "f"))
    unit = {"unit": age.unit.label, "system": _UCUM, "code": age.unit.value}
    return {"valueQuantity": {"value": number, **unit}}


BIRTH_SEX = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex"


def carried_observations(bundle: MessageBundle, patient: Resource) -> Observations:
    """Household and estimated age have fields of their own; the wishes are expectations."""
    household, age, listed = None, None, []
    for each in standing(bundle.of_type("Observation")):
        named = as_text(as_dict(each.get("code")).get("text"))
        lives = HouseholdComposition.lookup(code_in(each.get("code"), HouseholdComposition.ONE_PERSON.system))
        if lives is not None:
            household = household or lives
        elif named == ESTIMATED_AGE and (read := _read_age(each)) is not None:
            age = read
        elif named != WISHES:
            listed.append(each)
    return Observations(
        listed=each_tried(_read_observation, listed),
        household=household,
        birth_sex=_read_birth_sex(patient),
        estimated_age=age,
    )


def _read_observation(observation: Resource) -> Observation:
    return Observation(concept_of(observation.get("code")), value_words(observation))


def _read_age(observation: Resource) -> EstimatedAge | None:
    quantity = as_dict(observation.get("valueQuantity"))
    number, unit = quantity.get("value"), as_text(quantity.get("code"))
    if not isinstance(number, int | float) or unit not in set(AgeUnit):
        return None
    return tried(lambda: EstimatedAge(Decimal(decimal_text(number)), AgeUnit(unit)))


def _read_birth_sex(patient: Resource) -> BirthSex | None:
    said = (each.get("valueCode") for each in dicts(patient.get("extension")) if each.get("url") == BIRTH_SEX)
    found = next(said, None)
    return BirthSex(found) if found in set(BirthSex) else None
