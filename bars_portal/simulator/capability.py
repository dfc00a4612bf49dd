"""CapabilityStatements: the proxy's own, and the shape that TKW's share."""

from collections.abc import Sequence
from typing import Any

CORE_VERSION = "1.1.5"
PUBLISHED = "2026-01-01"
SECURITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/restful-security-service"
PROCESS_MESSAGE = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"

# Resource type -> the interactions served.
RESOURCES: dict[str, tuple[str, ...]] = {
    "MessageDefinition": ("search-type",),
    "Slot": ("search-type",),
    "Appointment": ("read", "search-type"),
    "ServiceRequest": ("read", "search-type"),
}


def proxy_capability(url: str) -> dict[str, Any]:
    """What the BaRS proxy says about itself when no target is named."""
    return capability_statement(
        name="BaRSProxySimulator",
        description="Simulated BaRS API proxy",
        url=url,
        security="OAuth",
        resources=RESOURCES,
        definitions=(),
    )


def capability_statement(
    *,
    name: str,
    description: str,
    url: str,
    security: str,
    resources: dict[str, tuple[str, ...]],
    definitions: Sequence[str],
) -> dict[str, Any]:
    """A CapabilityStatement (R4); `definitions` are the canonical addresses of the messages it receives."""
    statement: dict[str, Any] = {
        "resourceType": "CapabilityStatement",
        "url": f"{url}/metadata",
        "version": CORE_VERSION,
        "name": name,
        "status": "active",
        "experimental": False,
        "date": PUBLISHED,
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


def _rest(security: str, resources: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "mode": "server",
        "security": {"service": [{"coding": [{"system": SECURITY_SYSTEM, "code": security}]}]},
        "resource": [
            {"type": kind, "interaction": [{"code": code} for code in codes]}
            for kind, codes in resources.items()
        ],
        "operation": [{"name": "process-message", "definition": PROCESS_MESSAGE}],
    }
