"""GET /MessageDefinition: which messages a TKW service receives. Source: fhir/messages.md section 5."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected
from bars_portal.simulator.tkw.sentinels import (
    BOOKINGS,
    DEFINITION_BASE,
    DEFINITION_REFUSALS,
    INVALID_DEFINITIONS,
    messages_of,
)

USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
BOOKING_USE_CASE = "a1t1"
CONTEXT_TYPE = "http://terminology.hl7.org/CodeSystem/usage-context-type"
VARIANT_STATE = "http://terminology.hl7.org/CodeSystem/variant-state"
PUBLISHED = "2023-10-16"

_UK = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
_BARS = "https://fhir.nhs.uk/StructureDefinition/BARS"
_HEADER = ("MessageHeader", f"{_BARS}MessageHeader-booking-request", 1, "1")
_BUNDLE = ("Bundle", f"{_BARS}BundleMessage", 1, "1")

# Last part of the definition's address -> resource, profile, min, max.
FOCUS: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    BOOKINGS[0]: (
        _BUNDLE,
        _HEADER,
        ("ServiceRequest", f"{_BARS}ServiceRequest-request-referral", 0, "1"),
        ("Patient", f"{_UK}Patient", 1, "1"),
        ("Location", f"{_UK}Location", 0, "1"),
        ("Organization", f"{_UK}Organization", 2, "*"),
        ("Practitioner", f"{_UK}Practitioner", 0, "*"),
        ("PractitionerRole", f"{_UK}PractitionerRole", 0, "*"),
        ("Consent", f"{_UK}Consent", 0, "*"),
        ("HealthcareService", f"{_UK}HealthcareService", 1, "1"),
        ("Appointment", f"{_UK}Appointment", 1, "1"),
        ("Slot", f"{_UK}Slot", 1, "1"),
        ("Schedule", f"{_UK}Schedule", 1, "1"),
    ),
    BOOKINGS[1]: (
        _BUNDLE,
        _HEADER,
        ("Patient", f"{_UK}Patient", 1, "1"),
        ("Organization", f"{_UK}Organization", 2, "*"),
        ("Appointment", f"{_UK}Appointment", 1, "1"),
    ),
}
_INVOICE = ("Invoice", "http://hl7.org/fhir/StructureDefinition/Invoice", 1, "1")


def find_definitions(parameters: Sequence[tuple[str, str]], *, link: str, now: datetime) -> shapes.Resource:
    """The searchset of definitions. Raises Rejected."""
    service_id, use_cases = _context(parameters)
    if service_id in DEFINITION_REFUSALS:
        raise Rejected(DEFINITION_REFUSALS[service_id])
    offered = messages_of(service_id) if use_cases <= {BOOKING_USE_CASE} else ()
    entries = [(shapes.full_url(name, service_id), _definition(name, service_id, now)) for name in offered]
    return shapes.searchset(entries, [], link=link, now=now)


def _context(parameters: Sequence[tuple[str, str]]) -> tuple[str, frozenset[str]]:
    """Service id and use cases; `context` is system|value or a bare value, and may come more than once."""
    values = [
        part for name, value in parameters if name == "context" for part in value.split("&context=") if part
    ]
    if not values:
        raise Rejected(ReceiverError.MISSING)
    tokens = [value.rpartition("|")[::2] for value in values]
    services = [value for system, value in tokens if not system.endswith("usecases-categories-bars")]
    if not services or not services[0]:
        raise Rejected(ReceiverError.BAD_VALUE)
    return services[0], frozenset(
        value for system, value in tokens if system.endswith("usecases-categories-bars")
    )


def _definition(name: str, service_id: str, now: datetime) -> shapes.Resource:
    focus = FOCUS[name] + ((_INVOICE,) if service_id in INVALID_DEFINITIONS else ())
    return {
        "resourceType": "MessageDefinition",
        "id": shapes.stable_id(name, service_id),
        "meta": {"lastUpdated": now.isoformat(timespec="seconds")},
        "url": DEFINITION_BASE + name,
        "version": "1.0.0",
        "name": name.title().replace("-", ""),
        "title": name,
        "status": "active",
        "date": PUBLISHED,
        "useContext": _use_context(service_id),
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "booking-request",
        },
        "focus": [
            {"code": code, "profile": profile, "min": low, "max": top} for code, profile, low, top in focus
        ],
    }


def _use_context(service_id: str) -> list[dict[str, Any]]:
    """The service in both forms that are in use (standard section 7), and the use case."""
    workflow = {"system": CONTEXT_TYPE, "code": "workflow"}
    return [
        _used({"system": shapes.SERVICE_ID_SYSTEM, "code": service_id}, VARIANT_STATE, "positive"),
        _used(workflow, shapes.SERVICE_ID_SYSTEM, service_id),
        _used(workflow, USE_CASES, BOOKING_USE_CASE),
    ]


def _used(code: dict[str, str], system: str, value: str) -> dict[str, Any]:
    return {"code": code, "valueCodeableConcept": {"coding": [{"system": system, "code": value}]}}
