"""Medication and allergies: what there is, that there is none, or that nobody asked. Never the same thing."""

import re
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, model_validator
from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts
from referrals.cases.codes import STRICT, Concept, PartDate, WordsOrNone
from referrals.cases.states import Labelled
from referrals.parts.base import (
    SNOMED,
    Frame,
    concept_of,
    concept_to_fhir,
    each_tried,
    filled,
    standing,
    state,
    texts_of,
    tried,
    words_of,
)


class Stated(StrEnum):
    LISTED = "listed"
    NONE_KNOWN = "none-known"
    NOT_STATED = "not-stated"


@checked.dataclass(frozen=True, config=STRICT)
class Medication:
    """What the patient takes; `dosage` and `reason` in words, `since` as far as it is known.

    `is_new`: found in this assessment, and on no record yet.
    """

    concept: Concept
    dosage: WordsOrNone = ""
    reason: WordsOrNone = ""
    since: PartDate = ""
    is_new: bool = False


class AllergyType(Labelled):
    """AllergyIntolerance.type."""

    ALLERGY = "allergy", "Allergy"
    INTOLERANCE = "intolerance", "Intolerance"


class AllergyCategory(Labelled):
    """AllergyIntolerance.category."""

    FOOD = "food", "Food"
    MEDICATION = "medication", "Medicine"
    ENVIRONMENT = "environment", "Something in the surroundings, such as pollen"
    BIOLOGIC = "biologic", "Biological product, such as a vaccine"


class Severity(Labelled):
    """AllergyIntolerance.reaction.severity."""

    MILD = "mild", "Mild"
    MODERATE = "moderate", "Moderate"
    SEVERE = "severe", "Severe"


def _reaction_as_now_kept(stored: object) -> object:
    """Cases that stand have it in words alone."""
    return ({"text": stored} if stored else None) if isinstance(stored, str) else stored


@checked.dataclass(frozen=True, config=STRICT)
class Allergy:
    """`severity` is of the reaction; `is_new`: found in this assessment, and on no record yet."""

    concept: Concept
    reaction: Annotated[Concept | None, BeforeValidator(_reaction_as_now_kept)] = None
    type: AllergyType | None = None
    category: AllergyCategory | None = None
    severity: Severity | None = None
    is_new: bool = False

    @model_validator(mode="after")
    def _severity_of_something(self) -> Self:
        if self.severity is not None and self.reaction is None:
            raise ValueError("Say what the reaction is that is so severe.")
        return self


@checked.dataclass(frozen=True, config=STRICT)
class Medications:
    stated: Stated = Stated.NOT_STATED
    listed: tuple[Medication, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        _check_listed(self.stated, bool(self.listed))
        return self


@checked.dataclass(frozen=True, config=STRICT)
class Allergies:
    stated: Stated = Stated.NOT_STATED
    listed: tuple[Allergy, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        _check_listed(self.stated, bool(self.listed))
        return self


def _check_listed(stated: Stated, any_listed: bool) -> None:
    if any_listed != (stated is Stated.LISTED):
        raise ValueError("Either list them, or say that none is known or that nothing was stated.")


NO_MEDICATION = "No current medication"
NO_ALLERGY = Concept(system=SNOMED, code="716186003", display="No known allergy")


def medication_entries(frame: Frame, medications: Medications) -> list[Entry]:
    if medications.stated is Stated.NONE_KNOWN:
        # Nothing is taken: said, so that silence means only that nobody asked.
        none = {**_statement(frame, "not-taken"), "medicationCodeableConcept": {"text": NO_MEDICATION}}
        return [(frame.url("no medication"), none)]
    return [
        (frame.url(f"medication {number}"), _medication(frame, each))
        for number, each in enumerate(medications.listed)
    ]


def allergy_entries(frame: Frame, allergies: Allergies) -> list[Entry]:
    if allergies.stated is Stated.NONE_KNOWN:
        return [(frame.url("no allergy"), _allergy(frame, Allergy(NO_ALLERGY)))]
    return [
        (frame.url(f"allergy {number}"), _allergy(frame, each))
        for number, each in enumerate(allergies.listed)
    ]


def _medication(frame: Frame, medication: Medication) -> Resource:
    return filled(
        {
            **_statement(frame, "active"),
            "medicationCodeableConcept": concept_to_fhir(medication.concept),
            "effectiveDateTime": medication.since,
            "note": _NEW if medication.is_new else [],
            "reasonCode": [{"text": medication.reason}] if medication.reason else [],
            "dosage": [{"text": medication.dosage}] if medication.dosage else [],
        }
    )


def _statement(frame: Frame, status: str) -> Resource:
    return {
        **frame.head("MedicationStatement"),
        "status": status,
        "subject": frame.ref("patient"),
        "context": frame.ref("encounter"),
        "dateAsserted": frame.stamp,
    }


def _allergy(frame: Frame, allergy: Allergy) -> Resource:
    return filled(
        {
            **frame.head("AllergyIntolerance"),
            "clinicalStatus": state("allergyintolerance-clinical", "active"),
            "verificationStatus": state("allergyintolerance-verification", "confirmed"),
            "type": allergy.type,
            "category": [allergy.category] if allergy.category else [],
            "code": concept_to_fhir(allergy.concept),
            "patient": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "recordedDate": frame.stamp,
            "recorder": frame.ref("practitioner"),
            "asserter": frame.ref("practitioner"),
            "note": _NEW if allergy.is_new else [],
            "reaction": [_reaction(allergy.reaction, allergy.severity)] if allergy.reaction else [],
        }
    )


# The guide asks that it is said, and the profiles have no element for it.
_FOUND_NOW = "Found in this assessment, and not on record"
_NEW = [{"text": _FOUND_NOW}]


def _reaction(reaction: Concept, severity: Severity | None) -> Resource:
    return filled({"manifestation": [concept_to_fhir(reaction)], "severity": severity})


def carried_medications(bundle: MessageBundle) -> Medications:
    found = list(standing(bundle.of_type("MedicationStatement")))
    taken = [each for each in found if words_of(each.get("medicationCodeableConcept")) != NO_MEDICATION]
    if found and not taken:
        return Medications(Stated.NONE_KNOWN)
    listed = each_tried(_read_medication, taken)
    return Medications(Stated.LISTED, listed) if listed else Medications()


def carried_allergies(bundle: MessageBundle) -> Allergies:
    found = bundle.of_type("AllergyIntolerance")
    there = [each for each in found if not _says(each, NO_ALLERGY)]
    if found and not there:
        return Allergies(Stated.NONE_KNOWN)
    listed = each_tried(_read_allergy, there)
    return Allergies(Stated.LISTED, listed) if listed else Allergies()


def _read_medication(statement: Resource) -> Medication:
    reasons = filter(None, map(words_of, dicts(statement.get("reasonCode"))))
    period = as_dict(statement.get("effectivePeriod"))
    return Medication(
        concept_of(statement.get("medicationCodeableConcept")),
        texts_of(statement.get("dosage"), "text"),
        "\n".join(reasons),
        _part_date(statement.get("effectiveDateTime") or period.get("start")),
        _is_new(statement),
    )


def _read_allergy(allergy: Resource) -> Allergy:
    reactions = list(dicts(allergy.get("reaction")))
    shown = [each for part in reactions for each in dicts(part.get("manifestation"))]
    reaction = _one_of(shown)
    severities = [_known(Severity, part.get("severity")) for part in reactions]
    categories = allergy.get("category")
    return Allergy(
        concept_of(allergy.get("code")),
        reaction,
        _known(AllergyType, allergy.get("type")),
        _known(AllergyCategory, categories[0] if isinstance(categories, list) and categories else None),
        # The gravest of several.
        max(filter(None, severities), key=list(Severity).index, default=None) if reaction else None,
        _is_new(allergy),
    )


def _one_of(reactions: list[Resource]) -> Concept | None:
    """The first that has a code, with the words of the others; else the words of them all."""
    first = next((each for each in reactions if codings(each.get("coding") and each)), None)
    coded = tried(lambda: concept_of(first)) if first else None
    others = [words_of(each) for each in reactions if each is not first or coded is None]
    words = "\n".join(filter(None, (coded.text if coded else "", *others)))
    if coded is not None:
        return replace(coded, text=words)
    return Concept(text=words) if words else None


E = TypeVar("E", bound=StrEnum)


def _known(codes: type[E], code: object) -> E | None:
    return next((each for each in codes if each == code), None)


def _part_date(value: object) -> str:
    """A moment counts as its day; what is no date is left out."""
    found = _DATE.match(as_text(value))
    return found[0] if found else ""


_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def _is_new(resource: Resource) -> bool:
    return any(as_text(each.get("text")) == _FOUND_NOW for each in dicts(resource.get("note")))


def _says(resource: Resource, concept: Concept) -> bool:
    return any(each.get("code") == concept.code for each in codings(resource.get("code")))
