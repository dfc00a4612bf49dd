"""Medication and allergies: what there is, that there is none, or that nobody asked. Never the same thing."""

from enum import StrEnum
from typing import Self

from pydantic import dataclasses as checked
from pydantic import model_validator

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import codings, dicts
from referrals.cases.codes import STRICT, Concept, WordsOrNone
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
    words_of,
)


class Stated(StrEnum):
    LISTED = "listed"
    NONE_KNOWN = "none-known"
    NOT_STATED = "not-stated"


@checked.dataclass(frozen=True, config=STRICT)
class Medication:
    """What the patient takes; `dosage` and `reason` in words."""

    concept: Concept
    dosage: WordsOrNone = ""
    reason: WordsOrNone = ""


@checked.dataclass(frozen=True, config=STRICT)
class Allergy:
    """`reaction` in words."""

    concept: Concept
    reaction: WordsOrNone = ""


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
            "code": concept_to_fhir(allergy.concept),
            "patient": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "recordedDate": frame.stamp,
            "recorder": frame.ref("practitioner"),
            "asserter": frame.ref("practitioner"),
            "reaction": [{"manifestation": [{"text": allergy.reaction}]}] if allergy.reaction else [],
        }
    )


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
    dosage = texts_of(statement.get("dosage"), "text")
    return Medication(concept_of(statement.get("medicationCodeableConcept")), dosage, "\n".join(reasons))


def _read_allergy(allergy: Resource) -> Allergy:
    reactions = (each for part in dicts(allergy.get("reaction")) for each in dicts(part.get("manifestation")))
    return Allergy(concept_of(allergy.get("code")), "\n".join(filter(None, map(words_of, reactions))))


def _says(resource: Resource, concept: Concept) -> bool:
    return any(each.get("code") == concept.code for each in codings(resource.get("code")))
