"""Codes of what bookings, referrals and validations are made of (FHIR R4 value sets; UK Core; BaRS 1.34.0).

At the end the systems whose codes are all known here, for telling what a partner wrote differently. Pathways,
dispatch and reasonable adjustment codes are left out: what is published of them are samples.
"""

from __future__ import annotations

from collections.abc import Mapping

from bars_portal.exchange.fhir.codes.messages import Coded, ConsentCategory, MessageCategory, UseCase


class SlotStatus(Coded, system="http://hl7.org/fhir/slotstatus"):
    """Slot.status."""

    FREE = ("free", "Free")
    BUSY = ("busy", "Busy")
    BUSY_UNAVAILABLE = ("busy-unavailable", "Busy (Unavailable)")
    BUSY_TENTATIVE = ("busy-tentative", "Busy (Tentative)")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in error")


class AppointmentStatus(Coded, system="http://hl7.org/fhir/appointmentstatus"):
    """Appointment.status."""

    PROPOSED = ("proposed", "Proposed")
    PENDING = ("pending", "Pending")
    BOOKED = ("booked", "Booked")
    ARRIVED = ("arrived", "Arrived")
    FULFILLED = ("fulfilled", "Fulfilled")
    CANCELLED = ("cancelled", "Cancelled")
    NO_SHOW = ("noshow", "No Show")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in error")
    CHECKED_IN = ("checked-in", "Checked In")
    WAITLIST = ("waitlist", "Waitlisted")


class ParticipationStatus(Coded, system="http://hl7.org/fhir/participationstatus"):
    """Appointment.participant.status."""

    ACCEPTED = ("accepted", "Accepted")
    DECLINED = ("declined", "Declined")
    TENTATIVE = ("tentative", "Tentative")
    NEEDS_ACTION = ("needs-action", "Needs Action")


class CancellationReason(
    Coded, system="http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
):
    """Appointment.cancelationReason, the codes that a person is offered."""

    PATIENT = ("pat", "Patient")
    PROVIDER = ("prov", "Provider")
    MAINTENANCE = ("maint", "Equipment Maintenance/Repair")
    OTHER = ("other", "Other")


class DeliveryChannel(Coded, system="https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel"):
    """Slot extension UKCore-DeliveryChannel; left out when not known."""

    IN_PERSON = ("In-person", "In-person")
    TELEPHONE = ("Telephone", "Telephone")
    VIDEO = ("Video", "Video")


class Gender(Coded, system="http://hl7.org/fhir/administrative-gender"):
    """Patient.gender."""

    MALE = ("male", "Male")
    FEMALE = ("female", "Female")
    OTHER = ("other", "Other")
    UNKNOWN = ("unknown", "Unknown")


class TelecomSystem(Coded, system="http://hl7.org/fhir/contact-point-system"):
    """ContactPoint.system."""

    PHONE = ("phone", "Phone")
    EMAIL = ("email", "Email")
    SMS = ("sms", "SMS")
    OTHER = ("other", "Other")


class TelecomUse(Coded, system="http://hl7.org/fhir/contact-point-use"):
    """ContactPoint.use."""

    HOME = ("home", "Home")
    WORK = ("work", "Work")
    TEMPORARY = ("temp", "Temp")
    OLD = ("old", "Old")
    MOBILE = ("mobile", "Mobile")


class NHSNumberStatus(Coded, system="https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"):
    """Patient.identifier extension UKCore-NHSNumberVerificationStatus; only the first means verified."""

    VERIFIED = ("number-present-and-verified", "Number present and verified")
    NOT_TRACED = ("number-present-but-not-traced", "Number present but not traced")
    TRACE_REQUIRED = ("trace-required", "Trace required")
    TRACE_ATTEMPTED = (
        "trace-attempted",
        "Trace attempted - No match or multiple match found",
    )
    TO_BE_RESOLVED = (
        "trace-needs-to-be-resolved",
        "Trace needs to be resolved - (NHS number or patient detail conflict)",
    )
    IN_PROGRESS = ("trace-in-progress", "Trace in progress")
    NOT_PRESENT = (
        "number-not-present-and-trace-not-required",
        "Number not present and trace not required",
    )
    POSTPONED = ("trace-postponed", "Trace postponed (baby under six weeks old)")
    WELSH = (
        "number-present-and-traced-using-welsh-nhs-ar",
        "Number present and traced using Welsh NHS AR",
    )


class ContactRelationship(Coded, system="http://terminology.hl7.org/CodeSystem/v3-RoleCode"):
    """Patient.contact.relationship, the common ones; other codes of v3-RoleCode may arrive."""

    SELF = ("ONESELF", "self")
    PARENT = ("PRN", "parent")
    CHILD = ("CHILD", "child")
    SPOUSE = ("SPS", "spouse")
    SIBLING = ("SIB", "sibling")
    GRANDPARENT = ("GRPRN", "grandparent")
    NEIGHBOUR = ("NBOR", "neighbor")
    FRIEND = ("FRND", "unrelated friend")
    FAMILY = ("FAMMEMB", "family member")


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


SAFEGUARDING_SYSTEM = "https://fhir.nhs.uk/CodeSystem/safeguarding-codes-bars"
# In Flag.code (safeguarding-codes-bars 1.0.0): too many, and too alike, to deserve a name each.
SAFEGUARDING: Mapping[str, str] = {
    "836881000000105": "Child is cause for safeguarding concern (finding)",
    "U": "Unspecified Safeguarding Concern Identified",
    "297591000000108": "Alleged victim of sexual assault (situation)",
    "736792008": "At risk of honor based violence (finding)",
    "401206008": "At risk for deliberate self harm (finding)",
    "702953007": "Suspected victim of child neglect (situation)",
    "702579009": "Suspected victim of sexual abuse (situation)",
    "707087005": "At risk of domestic violence (finding)",
    "881081000000100": "Domestic abuse victim in household (finding)",
    "838481000000106": "At risk of institutional abuse (finding)",
    "697951004": "Suspected victim of emotional abuse (situation)",
    "697950003": "Suspected domestic abuse (situation)",
    "697949003": "Suspected victim of physical abuse (situation)",
    "1054321000000100": "At risk of forced marriage (finding)",
    "766969008": "At risk of radicalization (finding)",
    "415685003": "Suspected alcohol abuse (situation)",
    "761571000000106": "At risk of financial abuse (finding)",
    "449889006": "Delay in seeking medical advice (finding)",
    "300731000000106": "Family is cause for concern (finding)",
    "878111000000109": "Unborn child is cause for safeguarding concern (finding)",
    "861931000000100": "No safeguarding issues identified (finding)",
    "713201008": "At risk of female genital mutilation (finding)",
    "919461000000108": "At risk of sexual exploitation (finding)",
    "700254002": "Suspected victim of child sexual abuse (situation)",
    "700253008": "Suspected victim of sexual grooming (situation)",
    "700255001": "Suspected non-accidental injury to child (situation)",
    "1076171000000100": "Carer behavior is cause for safeguarding concern (situation)",
    "293161000000103": "Family history of alcohol misuse (situation)",
    "416936003": "At risk of physical abuse (finding)",
    "766561000000109": "Adult safeguarding concern (finding)",
    "417361000": "At risk of sexual abuse (finding)",
    "771983008": "At risk of psychological abuse (finding)",
    "771984002": "At risk of emotional abuse (finding)",
    "864491000000105": "Has child subject of child protection plan (situation)",
    "826931000000104": "Frequent attender of accident and emergency department (finding)",
    "417427001": "At risk of discriminatory abuse (finding)",
    "417430008": "Vulnerable adult (finding)",
    "771385008": "Suspected victim of bullying (situation)",
    "104586100000100": "At risk of human trafficking (finding)",
    "129707006": "At risk for other-directed violence (finding)",
    "287351000000105": "Family history of substance misuse (situation)",
    "375041000000100": "Family member subject of child protection plan (situation)",
    "248054003": "Self-neglect (finding)",
    "162596006": "Suspected victim of child abuse (situation)",
    "162591001": "Suspected drug abuse (situation)",
    "777996001": "Alleged being subjected to abuse (situation)",
}

_ENUMS: tuple[type[Coded], ...] = (
    ARPPriority,
    ConsentCategory,
    DosRejectedReason,
    EncounterReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    MessageCategory,
    RejectedReason,
    ResponseOutcome,
    SceneSafety,
    UseCase,
)


# System to code to display.
KNOWN_CODES: Mapping[str, Mapping[str, str]] = {
    SAFEGUARDING_SYSTEM: SAFEGUARDING,
    **{next(iter(each)).system: {code.value: code.display for code in each} for each in _ENUMS},
}
