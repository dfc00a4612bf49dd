"""Codes of patients and contacts (FHIR R4 value sets; UK Core NHS number status)."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded


class Gender(Coded):
    """Patient.gender."""

    MALE = ("male", "Male")
    FEMALE = ("female", "Female")
    OTHER = ("other", "Other")
    UNKNOWN = ("unknown", "Unknown")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/administrative-gender"


class TelecomSystem(Coded):
    """ContactPoint.system."""

    PHONE = ("phone", "Phone")
    EMAIL = ("email", "Email")
    SMS = ("sms", "SMS")
    OTHER = ("other", "Other")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/contact-point-system"


class TelecomUse(Coded):
    """ContactPoint.use."""

    HOME = ("home", "Home")
    WORK = ("work", "Work")
    TEMPORARY = ("temp", "Temp")
    OLD = ("old", "Old")
    MOBILE = ("mobile", "Mobile")

    @property
    def system(self) -> str:
        return "http://hl7.org/fhir/contact-point-use"


class NHSNumberStatus(Coded):
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

    @property
    def system(self) -> str:
        return "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"


class ContactRelationship(Coded):
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

    @property
    def system(self) -> str:
        return "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
