"""Codes of slots and appointments (FHIR R4 value sets; UK Core delivery channel)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded


class SlotStatus(Coded):
    """Slot.status."""

    FREE = ("free", "Free")
    BUSY = ("busy", "Busy")
    BUSY_UNAVAILABLE = ("busy-unavailable", "Busy (Unavailable)")
    BUSY_TENTATIVE = ("busy-tentative", "Busy (Tentative)")
    ENTERED_IN_ERROR = ("entered-in-error", "Entered in error")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/slotstatus"


class AppointmentStatus(Coded):
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

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/appointmentstatus"


class ParticipationStatus(Coded):
    """Appointment.participant.status."""

    ACCEPTED = ("accepted", "Accepted")
    DECLINED = ("declined", "Declined")
    TENTATIVE = ("tentative", "Tentative")
    NEEDS_ACTION = ("needs-action", "Needs Action")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/participationstatus"


class CancellationReason(Coded):
    """Appointment.cancelationReason, the codes that a person is offered."""

    PATIENT = ("pat", "Patient")
    PROVIDER = ("prov", "Provider")
    MAINTENANCE = ("maint", "Equipment Maintenance/Repair")
    OTHER = ("other", "Other")

    @property
    def system(self) -> str:
        return "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


class DeliveryChannel(Coded):
    """Slot extension UKCore-DeliveryChannel; left out when not known."""

    IN_PERSON = ("In-person", "In-person")
    TELEPHONE = ("Telephone", "Telephone")
    VIDEO = ("Video", "Video")

    @property
    def system(self) -> str:
        return "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel"
