"""MedicationStatement and AllergyIntolerance: listed, none known, or left out because nobody asked."""

from bars_portal.exchange.fhir.bundle import Resource
from referrals.content import Allergies, Allergy, Concept, Medication, Medications, Stated
from referrals.mapping.requests.frame import SNOMED, Entry, Frame, concept_to_fhir, filled

_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
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
            "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active", "display": "Active"}]},
            "verificationStatus": {
                "coding": [{"system": _VERIFICATION, "code": "confirmed", "display": "Confirmed"}]
            },
            "code": concept_to_fhir(allergy.concept),
            "patient": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "recordedDate": frame.stamp,
            "recorder": frame.ref("practitioner"),
            "reaction": [{"manifestation": [{"text": allergy.reaction}]}] if allergy.reaction else [],
        }
    )
