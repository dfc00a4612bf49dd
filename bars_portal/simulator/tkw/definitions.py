"""GET /MessageDefinition and /metadata: which messages are taken. Source: tables, messages.md 5."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bars_portal.simulator.fhir import Resource, stamp
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.tables import Accepted, ReceiverError, Rejected, accepted, focuses

CORE_VERSION = "1.1.5"
CAPABILITY_PUBLISHED = "2026-01-01"
SECURITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/restful-security-service"
PROCESS_MESSAGE = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"
DEFINITION_BASE = "https://fhir.nhs.uk/MessageDefinition/"
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
CONTEXT_TYPE = "http://terminology.hl7.org/CodeSystem/usage-context-type"
VARIANT_STATE = "http://terminology.hl7.org/CodeSystem/variant-state"
PUBLISHED = "2023-10-16"
# Services of this profile ask for what no BaRS message holds.
INVALID = "invalid"
_INVOICE_PROFILE = "http://hl7.org/fhir/StructureDefinition/Invoice"
_INVOICE = {"code": "Invoice", "profile": _INVOICE_PROFILE, "min": 1, "max": "1"}


@dataclass(frozen=True)
class Context:
    """What is asked for: a service id (or a sentinel word) and use cases, none for all."""

    service_id: str
    use_cases: frozenset[str]


def read_context(parameters: Sequence[tuple[str, str]]) -> Context:
    """`context` is system|value or a bare value, and may come more than once. Raises Rejected."""
    values = [
        part for name, value in parameters if name == "context" for part in value.split("&context=") if part
    ]
    if not values:
        raise Rejected(ReceiverError.MISSING)
    tokens = [value.rpartition("|")[::2] for value in values]
    services = [value for system, value in tokens if not system.endswith("usecases-categories-bars")]
    if not services or not services[0]:
        raise Rejected(ReceiverError.BAD_VALUE)
    named = (value for system, value in tokens if system.endswith("usecases-categories-bars"))
    return Context(services[0], frozenset(named))


def find_definitions(context: Context, *, gives: str, link: str, now: datetime) -> Resource:
    """The searchset with the definitions of a profile that accept every use case asked for."""
    offered = [each for each in accepted(gives) if context.use_cases <= set(each.use_cases)]
    entries = [
        (shapes.full_url(each.definition, context.service_id), _definition(each, context.service_id, now))
        for each in offered
    ]
    return shapes.searchset(entries, [], link=link, now=now)


def capability(gives: str) -> Resource:
    """The CapabilityStatement of a profile."""
    names = [each.definition for each in accepted(gives)]
    return _capability_statement(
        name="BaRSToolkitWorkbenchSimulator",
        description="Simulated TKW receiver",
        url="https://tkw.simulator.invalid/FHIR/R4",
        security="Certificates",
        resources=_resources(
            bookings="bars-message-booking-request" in names,
            requests=any(name.startswith("bars-message-servicerequest-request") for name in names),
        ),
        definitions=[DEFINITION_BASE + name for name in names],
    )


def proxy_capability(url: str) -> Resource:
    """What the BaRS proxy says about itself when no target is named."""
    return _capability_statement(
        name="BaRSProxySimulator",
        description="Simulated BaRS API proxy",
        url=url,
        security="OAuth",
        resources=_resources(bookings=True, requests=True),
        definitions=(),
    )


def _capability_statement(
    *,
    name: str,
    description: str,
    url: str,
    security: str,
    resources: dict[str, tuple[str, ...]],
    definitions: Sequence[str],
) -> Resource:
    """A CapabilityStatement (R4); `definitions` are the canonical addresses of the messages it receives."""
    statement: Resource = {
        "resourceType": "CapabilityStatement",
        "url": f"{url}/metadata",
        "version": CORE_VERSION,
        "name": name,
        "status": "active",
        "experimental": False,
        "date": CAPABILITY_PUBLISHED,
        "publisher": "BaRS simulator",
        "description": description,
        "kind": "instance",
        "software": {"name": name, "version": CORE_VERSION},
        "implementation": {"description": description, "url": url},
        "fhirVersion": "4.0.1",
        "format": ["json", "xml"],
        "rest": [_rest(security, resources)],
    }
    if definitions:
        supported = [{"mode": "receiver", "definition": definition} for definition in definitions]
        statement["messaging"] = [{"supportedMessage": supported}]
    return statement


def _rest(security: str, resources: dict[str, tuple[str, ...]]) -> Resource:
    return {
        "mode": "server",
        "security": {"service": [{"coding": [shapes.coding(SECURITY_SYSTEM, security)]}]},
        "resource": [
            {"type": kind, "interaction": [{"code": code} for code in codes]}
            for kind, codes in resources.items()
        ],
        "operation": [{"name": "process-message", "definition": PROCESS_MESSAGE}],
    }


def _resources(*, bookings: bool, requests: bool) -> dict[str, tuple[str, ...]]:
    """Resource type to interactions."""
    served: dict[str, tuple[str, ...]] = {"MessageDefinition": ("search-type",)}
    if bookings:
        served |= {"Slot": ("search-type",), "Appointment": ("read", "search-type")}
    if requests:
        served |= {"ServiceRequest": ("read", "search-type")}
    return served


def _definition(taken: Accepted, service_id: str, now: datetime) -> Resource:
    rows, name = focuses(taken.definition), taken.definition
    focus = [
        {"code": row.resource, "profile": row.profile, "min": int(row.min), "max": row.max} for row in rows
    ]
    return {
        "resourceType": "MessageDefinition",
        "id": shapes.stable_id(name, service_id),
        "meta": {"lastUpdated": stamp(now)},
        "url": DEFINITION_BASE + name,
        "version": rows[0].version,
        "name": name.title().replace("-", ""),
        "title": name,
        "status": "active",
        "date": PUBLISHED,
        "useContext": _use_context(service_id, taken.use_cases),
        "eventCoding": shapes.coding(EVENTS, rows[0].event),
        "focus": focus + ([_INVOICE] if taken.profile == INVALID else []),
    }


def _use_context(service_id: str, use_cases: Sequence[str]) -> list[Resource]:
    """The service in both forms that are in use (standard section 7), and each use case."""
    workflow = shapes.coding(CONTEXT_TYPE, "workflow")
    service = {
        "system": shapes.SERVICE_ID_SYSTEM,
        "code": service_id,
        "display": shapes.name_of(service_id),
    }
    return [
        _used(service, shapes.coding(VARIANT_STATE, "positive")),
        _used(workflow, service),
        *(_used(workflow, shapes.coding(shapes.USE_CASES, use_case)) for use_case in use_cases),
    ]


def _used(code: Resource, value: Resource) -> Resource:
    return {"code": code, "valueCodeableConcept": {"coding": [value]}}
