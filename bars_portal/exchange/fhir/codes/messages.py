"""Codes that say what a message is, and what every code knows (standard section 6; BaRS package 1.34.0)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self


class Coded(StrEnum):
    """A FHIR code with its display and system, as an enum member that compares equal to its code.

    Written `class Theme(Coded, system="<URI>")`, its members `NAME = ("code", "display")`.
    """

    def __new__(cls, code: str, display: str = "") -> Self:
        # The default is for type checkers only: Enum(code) is a look-up and never comes here.
        member = str.__new__(cls, code)
        member._value_ = code
        member._display = display
        return member

    _display: str
    _system: str

    def __init_subclass__(cls, *, system: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._system = system

    @property
    def display(self) -> str:
        return self._display

    @property
    def system(self) -> str:
        """URI of the code system."""
        return self._system

    @property
    def coding(self) -> dict[str, str]:
        """A FHIR Coding with system, code and display."""
        return {"system": self.system, "code": self.value, "display": self.display}

    @classmethod
    def lookup(cls, code: object) -> Self | None:
        """The member with this code, or None for anything else."""
        try:
            return cls(code) if isinstance(code, str) else None
        except ValueError:
            return None


class MessageEvent(Coded, system="https://fhir.nhs.uk/CodeSystem/message-events-bars"):
    """MessageHeader.eventCoding."""

    BOOKING_REQUEST = ("booking-request", "Booking Request - Request")
    BOOKING_RESPONSE = ("booking-response", "Booking Request - Response")
    SERVICEREQUEST_REQUEST = ("servicerequest-request", "Service Request - Request")
    SERVICEREQUEST_RESPONSE = ("servicerequest-response", "Service Request - Response")


class MessageReason(Coded, system="https://fhir.nhs.uk/CodeSystem/message-reason-bars"):
    """MessageHeader.reason."""

    NEW = ("new", "New")
    UPDATE = ("update", "Update")
    DELETE = ("delete", "Delete")


class MessageCategory(Coded, system="https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"):
    """ServiceRequest.category, first coding."""

    VALIDATION = ("validation", "For Validation")
    REFERRAL = ("referral", "Transfer of Care")
    # In the code system, but no row of the workflow table has it.
    REQUEST = ("request", "Request for service (eg: blood test)")


class ConsentCategory(Coded, system="https://fhir.nhs.uk/CodeSystem/consent-categories-bars"):
    """Consent.category: the one legal ground that a message may name."""

    DIRECT_CARE = ("DRC", "Direct Care")


USE_CASE_SYSTEM = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


class UseCase(Coded, system=USE_CASE_SYSTEM):
    """Use cases of Applications 1 to 6 (usecases-categories-bars 1.4.0).

    In Appointment.serviceCategory, and as the second coding of ServiceRequest.category.
    """

    A1T1 = ("a1t1", "111 - ED")
    A1T2 = ("a1t2", "111 - UTC")
    A1T3 = ("a1t3", "CAS - ED")
    A1T4 = ("a1t4", "CAS - UTC")
    A1T5 = ("a1t5", "999 - ED")
    A1T6 = ("a1t6", "999 - UTC")
    A1T7 = ("a1t7", "111 - SDEC")
    A1T8 = ("a1t8", "CAS - SDEC")
    A1T9 = ("a1t9", "999 - SDEC")
    A2T1 = ("a2t1", "111 Online - ED")
    A2T2 = ("a2t2", "111 Online - UTC")
    A2T3 = ("a2t3", "S and R - ED")
    A2T4 = ("a2t4", "S and R - UTC")
    A3T1 = ("a3t1", "999 - CAS Referral")
    A4T1 = ("a4t1", "999 - CAS Validation")
    A4T2 = ("a4t2", "999 - Falls")
    A4T3 = ("a4t3", "999 - Community Services")
    A5T1 = ("a5t1", "Primary Care to Pharmacy CPCS Minor Illness")
    A5T2 = ("a5t2", "Primary Care to Pharmacy Oral Contraception")
    A5T3 = ("a5t3", "Primary Care to Pharmacy Blood Pressure")
    REFERRAL_TO_PHARMACY = ("referraltopharmacy", "Referral to Pharmacy - Deprecated")
    A6T1 = ("a6t1", "CAD to CAD Out of Area Referral")
    A6T2 = ("a6t2", "CAD to CAD Call Assist Request")
    A6T3 = ("a6t3", "CAD to CAD Mutual Aid Request")


# Applications whose use cases bring conditions of their own (standard sections 6 and 9).
VALIDATION_USE_CASES = frozenset({UseCase.A4T1, UseCase.A4T2, UseCase.A4T3})
CAD_USE_CASES = frozenset({UseCase.A6T1, UseCase.A6T2, UseCase.A6T3})
REFERRAL_USE_CASES = frozenset(UseCase) - VALIDATION_USE_CASES
