"""Versions, profiles and MessageDefinitions as data (messages.md sections 5 and 6).

The definitions serve two ends: counting what arrives, and telling senders what we take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from bars_portal.exchange.fhir.codes import MessageEvent

# The version of the standard that we speak: Bundle.meta.versionId, CapabilityStatement.version.
STANDARD_VERSION = "1.1.0"
# All that may be asked for in Accept (standard section 4).
KNOWN_VERSIONS = ("1.0.0", STANDARD_VERSION)
FHIR_VERSION = "4.0.1"

_NHS = "https://fhir.nhs.uk/StructureDefinition/"
_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"
_R4 = "http://hl7.org/fhir/StructureDefinition/"

BUNDLE_MESSAGE = f"{_NHS}BARSBundleMessage"
BUNDLE_SEARCHSET = f"{_UK_CORE}UKCore-Bundle"
SERVICEREQUEST_REFERRAL = f"{_NHS}BARSServiceRequest-request-referral"
SERVICEREQUEST_VALIDATION = f"{_NHS}BARSServiceRequest-request-validation"
LOCATION_INCIDENT = f"{_UK_CORE}BARSLocation-incident-location"
FLAG = f"{_R4}Flag"
FLAG_SCENE_SAFETY = f"{_NHS}BARSFlag-scene-safety"
# What BaRS adds to is named with it.
SCENE_SAFETY = (FLAG, FLAG_SCENE_SAFETY)
INCIDENT = (f"{_R4}Location", LOCATION_INCIDENT)

EXTENSION_CONTACT_RANK = f"{_UK_CORE}Extension-UKCore-ContactRank"
EXTENSION_NHS_NUMBER_STATUS = f"{_UK_CORE}Extension-UKCore-NHSNumberVerificationStatus"
EXTENSION_DELIVERY_CHANNEL = f"{_UK_CORE}Extension-UKCore-DeliveryChannel"
EXTENSION_ETHNIC_CATEGORY = f"{_UK_CORE}Extension-UKCore-EthnicCategory"
ETHNIC_CATEGORY_SYSTEM = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategory"
LANGUAGE_SYSTEM = "https://fhir.hl7.org.uk/CodeSystem/UKCore-HumanLanguage"
EXTENSION_CDSS = f"{_NHS}CDSSExtension"
EXTENSION_LOCATION = f"{_NHS}LocationExtension"

# By event, for those of which messages are sent.
HEADER_PROFILES = {
    event: f"{_NHS}BARSMessageHeader-{event}"
    for event in ("booking-request", "servicerequest-request", "servicerequest-response")
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """A resource type in a Bundle: at least `low`, at most `high` (None: no limit)."""

    resource_type: str
    profile: str
    low: int
    high: int | None


@dataclass(frozen=True)
class DefinitionFacts:
    """A MessageDefinition's canonical URL, its name and the resources that its Bundles hold."""

    url: str
    title: str
    event: MessageEvent
    version: str
    allowed: tuple[Allowed, ...]

    @cached_property
    def limits(self) -> dict[str, tuple[int, int | None]]:
        """Fewest and most (None: no limit) of each resource type; a type listed twice adds up."""
        found: dict[str, tuple[int, int | None]] = {}
        for each in self.allowed:
            low, high = found.get(each.resource_type, (0, 0))
            most = None if high is None or each.high is None else high + each.high
            found[each.resource_type] = (low + each.low, most)
        # The table names the Bundle itself too, which holds no Bundle.
        found.pop("Bundle", None)
        return found

    @property
    def name(self) -> str:
        """Last part of the URL, "bars-message-booking-request"."""
        return self.url.rpartition("/")[2]


# Where a definition means another profile than UK Core's of the type.
_PROFILES = {
    "ServiceRequest:referral": SERVICEREQUEST_REFERRAL,
    "ServiceRequest:validation": SERVICEREQUEST_VALIDATION,
    "Location:incident": LOCATION_INCIDENT,
    "Flag:scene-safety": FLAG_SCENE_SAFETY,
    "Flag": FLAG,
}

# Resources in the order of the published definitions: "Type[:profile] low..high".
_PEOPLE = "Organization 2..*, Practitioner 1..*, PractitionerRole 1..*"
_FEW_PEOPLE = "Organization 1..*, Practitioner 1..*, PractitionerRole 1..*"
_FLAGS = "Observation 0..*, Flag:scene-safety 0..*, Flag 0..*"
_MEDICINES = "MedicationStatement 0..*, AllergyIntolerance 0..*"
_SERVICE = "HealthcareService 1..1"
_VALIDATION = f"CarePlan 1..1, Location 1..1, {_PEOPLE}, {_FLAGS}, Consent 1..*, {_MEDICINES}, {_SERVICE}"
_SHORT = f"Patient 1..1, Encounter 2..2, {_FEW_PEOPLE}, HealthcareService 0..*"

_TABLE: tuple[tuple[Definition, MessageEvent, str, str, str], ...] = (
    (
        Definition.BOOKING_REQUEST,
        MessageEvent.BOOKING_REQUEST,
        "1.0.0",
        "Booking - Request",
        "ServiceRequest:referral 0..1, Patient 1..1, Location 0..1, Organization 2..*, Practitioner 0..*, "
        f"PractitionerRole 0..*, Consent 0..*, {_SERVICE}, Appointment 1..1, Slot 1..1, Schedule 1..1",
    ),
    (
        Definition.BOOKING_REQUEST_CANCELLED,
        MessageEvent.BOOKING_REQUEST,
        "1.0.0",
        "Booking - Request - Cancelled",
        "Patient 1..1, Organization 2..*, Appointment 1..1",
    ),
    (
        Definition.REFERRAL_REQUEST,
        MessageEvent.SERVICEREQUEST_REQUEST,
        "1.0.0-beta",
        "ServiceRequest - Request Referral",
        "ServiceRequest:referral 1..1, Patient 1..1, Encounter 1..1, CarePlan 1..1, Location:incident 0..1, "
        f"Location 0..*, {_PEOPLE}, {_FLAGS}, {_MEDICINES}, Questionnaire 0..*, QuestionnaireResponse 0..*, "
        "Consent 1..*, HealthcareService 1..1, Condition 0..*, Task 0..*, Communication 0..*, Procedure 0..*",
    ),
    (
        Definition.REQUEST_CANCELLED,
        MessageEvent.SERVICEREQUEST_REQUEST,
        "1.0.0",
        "ServiceRequest - Request - Cancelled",
        "ServiceRequest:referral 1..1, Patient 1..1, Organization 2..*",
    ),
    (
        Definition.REFERRAL_RESPONSE,
        MessageEvent.SERVICEREQUEST_RESPONSE,
        "1.0.0-beta",
        "ServiceRequest - Response Referral",
        "ServiceRequest:referral 1..1, Patient 1..1, Encounter 0..1, CarePlan 0..1, Location 0..1, "
        f"{_PEOPLE}, {_FLAGS}, {_MEDICINES}, QuestionnaireResponse 0..*, Consent 1..*, "
        "HealthcareService 1..1, Appointment 0..1, Condition 0..*, Task 0..*",
    ),
    (
        Definition.REFERRAL_RESPONSE_SHORT,
        MessageEvent.SERVICEREQUEST_RESPONSE,
        "1.0.0-beta",
        "ServiceRequest - Response Referral Short",
        f"ServiceRequest:referral 1..1, {_SHORT}",
    ),
    (
        Definition.VALIDATION_REQUEST,
        MessageEvent.SERVICEREQUEST_REQUEST,
        "1.1.0",
        "ServiceRequest - Request Validation",
        f"ServiceRequest:validation 1..1, Patient 1..1, Encounter 1..1, {_VALIDATION}",
    ),
    (
        Definition.VALIDATION_RESPONSE_INTERIM,
        MessageEvent.SERVICEREQUEST_RESPONSE,
        "1.1.0",
        "ServiceRequest - Response Validation Interim",
        f"ServiceRequest:validation 1..1, {_SHORT}",
    ),
    (
        Definition.VALIDATION_RESPONSE_FULL,
        MessageEvent.SERVICEREQUEST_RESPONSE,
        "1.1.0",
        "ServiceRequest - Response Validation Full",
        f"ServiceRequest:validation 1..1, Patient 1..1, Encounter 2..3, {_VALIDATION}",
    ),
)


def _facts(url: Definition, event: MessageEvent, version: str, title: str, resources: str) -> DefinitionFacts:
    # The published response to a referral names the request's header.
    header = HEADER_PROFILES["servicerequest-request" if url is Definition.REFERRAL_RESPONSE else event.value]
    allowed = (
        Allowed("Bundle", BUNDLE_MESSAGE, 1, 1),
        Allowed("MessageHeader", header, 1, 1),
        *map(_allowed, resources.split(", ")),
    )
    return DefinitionFacts(url, f"BARS Message Definition {title}", event, version, allowed)


def _allowed(entry: str) -> Allowed:
    named, _, counts = entry.partition(" ")
    low, _, high = counts.partition("..")
    kind = named.partition(":")[0]
    return Allowed(kind, _PROFILES.get(named, uk_core(kind)), int(low), None if high == "*" else int(high))


DEFINITIONS: Mapping[str, DefinitionFacts] = {row[0].value: _facts(*row) for row in _TABLE}
