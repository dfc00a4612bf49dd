"""Codes of what a referral or validation is made of (FHIR R4 value sets; BaRS package 1.34.0)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.messages import Coded


class ServiceRequestStatus(Coded, system="http://hl7.org/fhir/request-status"):
    """ServiceRequest.status."""

    DRAFT = ("draft", "Draft")
    ACTIVE = ("active", "Active")
    ON_HOLD = ("on-hold", "On Hold")
    REVOKED = ("revoked", "Revoked")
    COMPLETED = ("completed", "Completed")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in Error")
    UNKNOWN = ("unknown", "Unknown")


class CarePlanStatus(Coded, system="http://hl7.org/fhir/request-status"):
    """CarePlan.status: an active plan still asks for something to be done, a completed one does not."""

    DRAFT = ("draft", "Draft")
    ACTIVE = ("active", "Active")
    ON_HOLD = ("on-hold", "On Hold")
    REVOKED = ("revoked", "Revoked")
    COMPLETED = ("completed", "Completed")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in Error")
    UNKNOWN = ("unknown", "Unknown")


class EncounterStatus(Coded, system="http://hl7.org/fhir/encounter-status"):
    """Encounter.status."""

    PLANNED = ("planned", "Planned")
    ARRIVED = ("arrived", "Arrived")
    TRIAGED = ("triaged", "Triaged")
    IN_PROGRESS = ("in-progress", "In Progress")
    ON_LEAVE = ("onleave", "On Leave")
    FINISHED = ("finished", "Finished")
    CANCELLED = ("cancelled", "Cancelled")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in Error")
    UNKNOWN = ("unknown", "Unknown")


class EncounterReason(Coded, system="https://fhir.nhs.uk/CodeSystem/message-reason-encounter"):
    """Encounter.reasonCode of the national package; validations send a code that is not in it."""

    ADMIT = ("admit", "Admit")
    DISCHARGE = ("discharge", "Discharge")
    ABSENT = ("absent", "Absent")
    RETURN = ("return", "Returned")
    MOVED = ("moved", "Moved")
    EDIT = ("edit", "Edit")


class RejectedReason(Coded, system="https://fhir.nhs.uk/CodeSystem/rejected-reasons-bars"):
    """Encounter.reasonCode of a responder who rejects."""

    NOT_AVAILABLE = ("RRNA", "Requested resource not available within timescale")
    OTHER = ("OTH", "Other")


class ARPPriority(Coded, system="https://fhir.nhs.uk/CodeSystem/arp-priority-codes"):
    """Priority of an ambulance response, in CarePlan.activity.outcomeCodeableConcept."""

    C1 = ("C1", "Cat1 Life Threatening")
    C2 = ("C2", "Cat2 Emergency")
    C3 = ("C3", "Cat3 Urgent")
    C4 = ("C4", "Cat4 Less Urgent")
    C4T = ("C4T", "Cat4 Less Urgent - transport")
    C5 = ("C5", "Non Ambulance")
    HCP1 = ("HCP1", "HCP1 Life Threatening")
    HCP2 = ("HCP2", "HCP2 Emergency")
    HCP3 = ("HCP3", "HCP3 Urgent")
    HCP4 = ("HCP4", "HCP4 Less Urgent")
    # Its code lacks a letter in the published system.
    HCP4T = ("HP4T", "HCP4 Less Urgent - transport")
    IFT1 = ("IFT1", "IFT1 Life Threatening")
    IFT2 = ("IFT2", "IFT2 Emergency")
    IFT3 = ("IFT3", "IFT3 Urgent")
    IFT4 = ("IFT4", "IFT4 Less Urgent")


class ResponseOutcome(Coded, system="https://fhir.nhs.uk/CodeSystem/response-outcome-codes"):
    """What an ambulance crew did."""

    PATIENT_LIFTED = ("PATLIFT", "Patient has been lifted")


class FlagCategory(Coded, system="https://fhir.nhs.uk/CodeSystem/flag-categories-bars"):
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


class SceneSafety(Coded, system="https://fhir.nhs.uk/CodeSystem/scene-safety-codes-bars"):
    """Flag.code of a scene safety flag."""

    SAFE = ("S", "The Scene is safe")
    UNSAFE = ("U", "The Scene is unsafe")
    UNKNOWN = ("UNK", "Unknown")


class LocationType(Coded, system="https://fhir.nhs.uk/CodeSystem/location-types-bars"):
    """Location.type."""

    INCIDENT = ("ILOC", "Incident Location")
    CALLER = ("CLOC", "Caller Location")
    RENDEZVOUS = ("RLOC", "Rendezvous Location")
    OTHER = ("OLOC", "Other Location")


class DosRejectedReason(Coded, system="https://fhir.nhs.uk/CodeSystem/dos-rejected-reasons-bars"):
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


class HouseholdComposition(Coded, system="https://fhir.nhs.uk/CodeSystem/household-composition-bars"):
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
