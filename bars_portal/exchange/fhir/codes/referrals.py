"""States of what a referral or validation is made of (FHIR R4 value sets; BaRS package 1.34.0)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded


class ServiceRequestStatus(Coded):
    """ServiceRequest.status."""

    DRAFT = ("draft", "Draft")
    ACTIVE = ("active", "Active")
    ON_HOLD = ("on-hold", "On Hold")
    REVOKED = ("revoked", "Revoked")
    COMPLETED = ("completed", "Completed")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in Error")
    UNKNOWN = ("unknown", "Unknown")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/request-status"


class CarePlanStatus(Coded):
    """CarePlan.status: an active plan still asks for something to be done, a completed one does not."""

    DRAFT = ("draft", "Draft")
    ACTIVE = ("active", "Active")
    ON_HOLD = ("on-hold", "On Hold")
    REVOKED = ("revoked", "Revoked")
    COMPLETED = ("completed", "Completed")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in Error")
    UNKNOWN = ("unknown", "Unknown")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/request-status"


class EncounterStatus(Coded):
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

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/encounter-status"


class EncounterReason(Coded):
    """Encounter.reasonCode of the national package; validations send a code that is not in it."""

    ADMIT = ("admit", "Admit")
    DISCHARGE = ("discharge", "Discharge")
    ABSENT = ("absent", "Absent")
    RETURN = ("return", "Returned")
    MOVED = ("moved", "Moved")
    EDIT = ("edit", "Edit")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/message-reason-encounter"


class RejectedReason(Coded):
    """Encounter.reasonCode of a responder who rejects."""

    NOT_AVAILABLE = ("RRNA", "Requested resource not available within timescale")
    OTHER = ("OTH", "Other")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/rejected-reasons-bars"


class ARPPriority(Coded):
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

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/arp-priority-codes"


class ResponseOutcome(Coded):
    """What an ambulance crew did."""

    PATIENT_LIFTED = ("PATLIFT", "Patient has been lifted")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/response-outcome-codes"
