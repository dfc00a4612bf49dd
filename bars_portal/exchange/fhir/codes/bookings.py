"""Codes of slots, appointments and the people in them (FHIR R4 value sets; UK Core)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.messages import Coded


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
