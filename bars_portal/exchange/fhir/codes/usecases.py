"""Use cases of Applications 1 to 6 (code system usecases-categories-bars 1.4.0)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded

USE_CASE_SYSTEM = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


class UseCase(Coded):
    """Appointment.serviceCategory, and the second coding of ServiceRequest.category."""

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

    @property
    def system(self) -> str:
        return USE_CASE_SYSTEM


# Applications whose use cases bring conditions of their own (standard sections 6 and 9).
VALIDATION_USE_CASES = frozenset({UseCase.A4T1, UseCase.A4T2, UseCase.A4T3})
CAD_USE_CASES = frozenset({UseCase.A6T1, UseCase.A6T2, UseCase.A6T3})
REFERRAL_USE_CASES = frozenset(UseCase) - VALIDATION_USE_CASES
