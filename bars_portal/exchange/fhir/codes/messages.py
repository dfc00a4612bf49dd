"""Codes that say what a message is (standard section 6; BaRS package 1.34.0)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded


class MessageEvent(Coded):
    """MessageHeader.eventCoding."""

    BOOKING_REQUEST = ("booking-request", "Booking Request - Request")
    BOOKING_RESPONSE = ("booking-response", "Booking Request - Response")
    SERVICEREQUEST_REQUEST = ("servicerequest-request", "Service Request - Request")
    SERVICEREQUEST_RESPONSE = ("servicerequest-response", "Service Request - Response")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/message-events-bars"


class MessageReason(Coded):
    """MessageHeader.reason."""

    NEW = ("new", "New")
    UPDATE = ("update", "Update")
    DELETE = ("delete", "Delete")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/message-reason-bars"


class MessageCategory(Coded):
    """ServiceRequest.category, first coding."""

    VALIDATION = ("validation", "For Validation")
    REFERRAL = ("referral", "Transfer of Care")
    # In the code system, but no row of the workflow table has it.
    REQUEST = ("request", "Request for service (eg: blood test)")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"


class ConsentCategory(Coded):
    """Consent.category: the one legal ground that a message may name."""

    DIRECT_CARE = ("DRC", "Direct Care")

    @property
    def system(self) -> str:
        return "https://fhir.nhs.uk/CodeSystem/consent-categories-bars"
