"""The BaRS headers of a self-test's requests (standard section 3)."""

import base64
from typing import Any
from uuid import uuid4

import orjson

SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
REQUEST_ID, CORRELATION_ID = "X-Request-ID", "X-Correlation-ID"
ACCEPT = "application/fhir+json; version=1.1.0"
ORGANISATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A1001"}],
    "name": "Self-test sender",
}
SOFTWARE = {
    "resourceType": "Device",
    "identifier": [{"system": "https://consumersupplier.com/Id/device-identifier", "value": "BARS-SELFTEST"}],
    "deviceName": {"name": "BaRS self-test", "type": "manufacturer-name"},
    "version": {"value": "1.0.0"},
}


def usual(service: str, conversation: str) -> dict[str, str]:
    """What every request carries: a new request id, the conversation's id, target, organisation, software."""
    return {
        REQUEST_ID: str(uuid4()),
        CORRELATION_ID: conversation,
        "NHSD-Target-Identifier": encoded({"system": SERVICE_SYSTEM, "value": service}),
        "NHSD-End-User-Organisation": encoded(ORGANISATION),
        "NHSD-Requesting-Software": encoded(SOFTWARE),
        "Accept": ACCEPT,
    }


def encoded(value: Any, *, pretty: bool = False) -> str:
    """Standard base64 of JSON, with line breaks in it when `pretty`."""
    return base64.b64encode(orjson.dumps(value, option=orjson.OPT_INDENT_2 if pretty else None)).decode()
