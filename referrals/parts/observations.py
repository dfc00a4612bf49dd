"""What was observed: free and coded observations, the household, birth sex, an estimated age, wishes."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, decimal_text, extension, parse_decimal
from referrals.cases.codes import STRICT, Concept, WordsOrNone
from referrals.parts.base import (
    SNOMED,
    Frame,
    code_in,
    concept_of,
    each_tried,
    filled,
    named_concept,
    standing,
    tried,
    value_words,
)


class BirthSex(StrEnum):
    """Sex registered at birth (v3-AdministrativeGender; NullFlavor for unknown)."""

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
        entries.append((f"observation {number}", _seen(frame, named_concept(each.concept), value)))
    if stated.household is not None:
        lives = {"coding": [stated.household.coding], "text": stated.household.display}
        entries.append(("household", _seen(frame, lives, {})))
    if stated.birth_sex is not None:
        entries.append(("birth sex", _seen(frame, _BIRTH_SEX_CODE, _birth_sex(stated.birth_sex))))
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


_BIRTH_SEX = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex"
_BIRTH_SEX_TEXT = "Birth sex"
_BIRTH_SEX_CODE = {
    "coding": [
        {"system": SNOMED, "code": "429019009", "display": "Finding related to biological sex (finding)"}
    ],
    "text": _BIRTH_SEX_TEXT,
}
_GENDER, _NULL = (
    f"http://terminology.hl7.org/CodeSystem/v3-{each}" for each in ("AdministrativeGender", "NullFlavor")
)
# As others may code it: LOINC for the question, SNOMED for the answer.
_BIRTH_SEX_QUESTIONS = frozenset({"429019009", "76689-9"})
_BIRTH_SEX_ANSWERS = {"248153007": BirthSex.MALE, "248152002": BirthSex.FEMALE} | {
    each: BirthSex(each) for each in BirthSex
}


def _birth_sex(sex: BirthSex) -> Resource:
    system = _NULL if sex is BirthSex.UNKNOWN else _GENDER
    display = "unknown" if sex is BirthSex.UNKNOWN else sex.label
    coding = {"system": system, "code": sex.value, "display": display}
    return {"valueCodeableConcept": {"coding": [coding], "text": sex.label}}


def carried_observations(bundle: MessageBundle, patient: Resource) -> Observations:
    """Household, birth sex and estimated age have fields of their own; the wishes are expectations."""
    household, age, sex, listed = None, None, _extended_birth_sex(patient), []
    for each in standing(bundle.of_type("Observation")):
        named = as_text(as_dict(each.get("code")).get("text"))
        lives = HouseholdComposition.lookup(code_in(each.get("code"), HouseholdComposition.ONE_PERSON.system))
        if lives is not None:
            household = household or lives
        elif named == ESTIMATED_AGE and (read := _read_age(each)) is not None:
            age = read
        elif (told := _read_birth_sex(each)) is not None:
            sex = told
        elif named != WISHES:
            listed.append(each)
    return Observations(
        listed=each_tried(_read_observation, listed),
        household=household,
        birth_sex=sex,
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


def _read_birth_sex(observation: Resource) -> BirthSex | None:
    """None for another observation, and for an answer that we have no field for."""
    asked = as_dict(observation.get("code"))
    named = as_text(asked.get("text")).casefold() == _BIRTH_SEX_TEXT.casefold()
    if not named and not any(each.get("code") in _BIRTH_SEX_QUESTIONS for each in codings(asked)):
        return None
    codes = (as_text(each.get("code")) for each in codings(observation.get("valueCodeableConcept")))
    return next((_BIRTH_SEX_ANSWERS[each] for each in codes if each in _BIRTH_SEX_ANSWERS), None)


def _extended_birth_sex(patient: Resource) -> BirthSex | None:
    """Where others put it: an extension of the Patient (UKCore-BirthSex)."""
    code = as_text(extension(patient, _BIRTH_SEX).get("valueCode"))
    return BirthSex(code) if code in set(BirthSex) else None
