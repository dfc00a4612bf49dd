"""URLs of the profiles, extensions and MessageDefinitions that we write (messages.md sections 5 and 6)."""

from __future__ import annotations

from enum import StrEnum

# The version of the standard that we speak: Bundle.meta.versionId, CapabilityStatement.version.
STANDARD_VERSION = "1.1.0"
# All that may be asked for in Accept (standard section 4).
KNOWN_VERSIONS = ("1.0.0", STANDARD_VERSION)
FHIR_VERSION = "4.0.1"

_NHS = "https://fhir.nhs.uk/StructureDefinition/"
_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"

BUNDLE_MESSAGE = f"{_NHS}BARSBundleMessage"
BUNDLE_SEARCHSET = f"{_UK_CORE}UKCore-Bundle"
HEADER_BOOKING_REQUEST = f"{_NHS}BARSMessageHeader-booking-request"
HEADER_SERVICEREQUEST_REQUEST = f"{_NHS}BARSMessageHeader-servicerequest-request"
HEADER_SERVICEREQUEST_RESPONSE = f"{_NHS}BARSMessageHeader-servicerequest-response"
SERVICEREQUEST_REFERRAL = f"{_NHS}BARSServiceRequest-request-referral"
SERVICEREQUEST_VALIDATION = f"{_NHS}BARSServiceRequest-request-validation"
LOCATION_INCIDENT = f"{_UK_CORE}BARSLocation-incident-location"
FLAG = "http://hl7.org/fhir/StructureDefinition/Flag"
FLAG_SCENE_SAFETY = f"{_NHS}BARSFlag-scene-safety"

EXTENSION_CONTACT_RANK = f"{_UK_CORE}Extension-UKCore-ContactRank"
EXTENSION_NHS_NUMBER_STATUS = f"{_UK_CORE}Extension-UKCore-NHSNumberVerificationStatus"
EXTENSION_DELIVERY_CHANNEL = f"{_UK_CORE}Extension-UKCore-DeliveryChannel"
EXTENSION_CDSS = f"{_NHS}CDSSExtension"
EXTENSION_LOCATION = f"{_NHS}LocationExtension"

HEADER_PROFILES = {
    "booking-request": HEADER_BOOKING_REQUEST,
    "servicerequest-request": HEADER_SERVICEREQUEST_REQUEST,
    "servicerequest-response": HEADER_SERVICEREQUEST_RESPONSE,
}


def uk_core(resource_type: str) -> str:
    """The UK Core profile of a resource type; most have one named after the type."""
    return f"{_UK_CORE}UKCore-{resource_type}"


_DEFINITION = "https://fhir.nhs.uk/MessageDefinition/bars-message-"


class Definition(StrEnum):
    """Canonical URLs of the BaRS MessageDefinitions."""

    BOOKING_REQUEST = f"{_DEFINITION}booking-request"
    BOOKING_REQUEST_CANCELLED = f"{_DEFINITION}booking-request-cancelled"
    REFERRAL_REQUEST = f"{_DEFINITION}servicerequest-request-referral"
    REQUEST_CANCELLED = f"{_DEFINITION}servicerequest-request-cancelled"
    REFERRAL_RESPONSE = f"{_DEFINITION}servicerequest-response-referral"
    REFERRAL_RESPONSE_SHORT = f"{_DEFINITION}servicerequest-response-referral-short"
    VALIDATION_REQUEST = f"{_DEFINITION}servicerequest-request-validation"
    VALIDATION_RESPONSE_INTERIM = f"{_DEFINITION}servicerequest-response-validation-interim"
    VALIDATION_RESPONSE_FULL = f"{_DEFINITION}servicerequest-response-validation-full"
