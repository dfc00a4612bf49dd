"""Warnings about a patient or a scene, places and refused services (BaRS package 1.34.0)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded


class FlagCategory(Coded):
    """Flag.category."""

    SAFEGUARDING = ("SG", "Safeguarding Concern")
    SCENE_SAFETY = ("SS", "Scene Safety")
    REJECTED_SERVICES = ("RS", "Rejected Services")
    REASONABLE_ADJUSTMENT = ("RA", "Reasonable Adjustment")
    INFECTION_RISK = ("IR", "Infection Risk")
    REPEAT_CALLER = ("RC", "Repeat Caller")
    RESPECT = ("RT", "ReSPECT")
    AGENCY_CONTACTED = ("AC", "Agency Contacted")
    PATIENT_INFORMATION = ("API", "Additional Patient Information")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/flag-categories-bars"


class SceneSafety(Coded):
    """Flag.code of a scene safety flag."""

    SAFE = ("S", "The Scene is safe")
    UNSAFE = ("U", "The Scene is unsafe")
    UNKNOWN = ("UNK", "Unknown")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/scene-safety-codes-bars"


class LocationType(Coded):
    """Location.type."""

    INCIDENT = ("ILOC", "Incident Location")
    CALLER = ("CLOC", "Caller Location")
    RENDEZVOUS = ("RLOC", "Rendezvous Location")
    OTHER = ("OLOC", "Other Location")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/location-types-bars"


class DosRejectedReason(Coded):
    """Why a service of the directory was not taken."""

    TRANSPORT = ("21", "Unsuitable due to transport")
    CAPACITY = ("22", "Rejected for capacity reasons")
    NOT_APPROPRIATE = ("23", "Service not clinically appropriate")
    DECLINED = ("24", "Service declined referral")
    PATIENT_CHOICE = ("26", "Rejected for patient choice")
    NOT_CONTACTED = ("27", "Service could not be contacted")
    NO_APPOINTMENTS = ("31", "No appointments available")
    APPOINTMENTS_NOT_SUITABLE = ("32", "Appointments not suitable")
    NOT_ELIGIBLE = ("40", "Patient not eligible for service")
    HOME_VISIT = ("41", "Patient requested home visit")
    DISTANCE = ("42", "Unsuitable due to distance")
    OTHER = ("99", "Other reason")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/dos-rejected-reasons-bars"


class HouseholdComposition(Coded):
    """With whom the patient lives, in Observation.code."""

    WITHOUT_DEPENDENT_CHILDREN = (
        "AllHouseholdsWithoutDependentChildren",
        "All households without dependent children",
    )
    ONE_PERSON = ("OnePersonHouseholds", "One person households")
    ONE_FAMILY = ("OneFamilyHouseholds", "One family households")
    NO_CHILDREN = ("NoChildren", "No children")
    NON_DEPENDENT_CHILDREN = ("NonDependentChildren", "Non dependent children")
    WITH_DEPENDENT_CHILDREN = (
        "AllHouseholdsWithDependentChildren",
        "All households with dependent children",
    )
    OTHER = ("OtherHouseholds", "Other households")
    LIVES_ALONE = ("LivesAlone", "Lives Alone")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/household-composition-bars"
