"""Warnings, medication, allergies, observations, procedures and notes of a received request."""

from decimal import Decimal

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import FlagCategory, HouseholdComposition
from bars_portal.exchange.fhir.json import decimal_text
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts
from referrals.content import (
    Allergies,
    Allergy,
    BirthSex,
    Concept,
    EstimatedAge,
    Flag,
    Medication,
    Medications,
    Observation,
    Observations,
    Stated,
)
from referrals.content.flags import CODES
from referrals.content.observations import AgeUnit
from referrals.mapping.carried.reading import (
    code_in,
    concept_of,
    each_tried,
    standing,
    texts_of,
    tried,
    value_words,
    words_of,
)
from referrals.mapping.reading import instant
from referrals.mapping.requests.medication import NO_ALLERGY, NO_MEDICATION
from referrals.mapping.requests.observations import ESTIMATED_AGE, WISHES
from referrals.mapping.requests.people import BIRTH_SEX

# Belongs to the services that were offered then.
_NOT_CARRIED = (FlagCategory.REJECTED_SERVICES,)


def carried_flags(bundle: MessageBundle) -> tuple[Flag, ...]:
    """Warnings that stand; of a category whose codes are all known, another code becomes words."""
    found = (
        (each, category)
        for each in standing(bundle.of_type("Flag"))
        for category in FlagCategory
        if category not in _NOT_CARRIED and code_in(each.get("category"), category.system) == category.value
    )
    return each_tried(_flag, found)


def carried_medications(bundle: MessageBundle) -> Medications:
    found = list(standing(bundle.of_type("MedicationStatement")))
    taken = [each for each in found if words_of(each.get("medicationCodeableConcept")) != NO_MEDICATION]
    if found and not taken:
        return Medications(Stated.NONE_KNOWN)
    listed = each_tried(_medication, taken)
    return Medications(Stated.LISTED, listed) if listed else Medications()


def carried_allergies(bundle: MessageBundle) -> Allergies:
    found = bundle.of_type("AllergyIntolerance")
    there = [each for each in found if not _says(each, NO_ALLERGY)]
    if found and not there:
        return Allergies(Stated.NONE_KNOWN)
    listed = each_tried(_allergy, there)
    return Allergies(Stated.LISTED, listed) if listed else Allergies()


def carried_observations(bundle: MessageBundle, patient: Resource) -> Observations:
    """Household and estimated age have fields of their own; the wishes are expectations."""
    household, age, listed = None, None, []
    for each in standing(bundle.of_type("Observation")):
        named = as_text(as_dict(each.get("code")).get("text"))
        lives = HouseholdComposition.lookup(code_in(each.get("code"), HouseholdComposition.ONE_PERSON.system))
        if lives is not None:
            household = household or lives
        elif named == ESTIMATED_AGE and (read := _age(each)) is not None:
            age = read
        elif named != WISHES:
            listed.append(each)
    return Observations(
        listed=each_tried(_observation, listed),
        household=household,
        birth_sex=_birth_sex(patient),
        estimated_age=age,
    )


def carried_procedures(bundle: MessageBundle) -> tuple[Concept, ...]:
    return each_tried(concept_of, (each.get("code") for each in standing(bundle.of_type("Procedure"))))


def carried_notes(bundle: MessageBundle) -> tuple[str, ...]:
    """Communication.payload: the log of the call."""
    found = (texts_of(each.get("payload"), "contentString") for each in bundle.of_type("Communication"))
    return tuple(filter(None, found))


def _flag(found: tuple[Resource, FlagCategory]) -> Flag:
    flag, category = found
    since = instant(as_dict(flag.get("period")).get("start"))
    made = tried(lambda: Flag(category, concept_of(flag.get("code")), since))
    if made is not None or category not in CODES:
        return made or Flag(category, Concept(text=category.display), since)
    return Flag(category, Concept(text=words_of(flag.get("code")) or category.display), since)


def _medication(statement: Resource) -> Medication:
    reasons = filter(None, map(words_of, dicts(statement.get("reasonCode"))))
    dosage = texts_of(statement.get("dosage"), "text")
    return Medication(concept_of(statement.get("medicationCodeableConcept")), dosage, "\n".join(reasons))


def _allergy(allergy: Resource) -> Allergy:
    reactions = (each for part in dicts(allergy.get("reaction")) for each in dicts(part.get("manifestation")))
    return Allergy(concept_of(allergy.get("code")), "\n".join(filter(None, map(words_of, reactions))))


def _observation(observation: Resource) -> Observation:
    return Observation(concept_of(observation.get("code")), value_words(observation))


def _says(resource: Resource, concept: Concept) -> bool:
    return any(each.get("code") == concept.code for each in codings(resource.get("code")))


def _age(observation: Resource) -> EstimatedAge | None:
    quantity = as_dict(observation.get("valueQuantity"))
    number, unit = quantity.get("value"), as_text(quantity.get("code"))
    if not isinstance(number, int | float) or unit not in set(AgeUnit):
        return None
    return tried(lambda: EstimatedAge(Decimal(decimal_text(number)), AgeUnit(unit)))


def _birth_sex(patient: Resource) -> BirthSex | None:
    said = (each.get("valueCode") for each in dicts(patient.get("extension")) if each.get("url") == BIRTH_SEX)
    found = next(said, None)
    return BirthSex(found) if found in set(BirthSex) else None
