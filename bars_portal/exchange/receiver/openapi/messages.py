"""The body of `$process-message`: a message Bundle whose header says one of the registered message types."""

from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.limits import MAX_ENTRIES
from bars_portal.exchange.receiver.openapi.answers import Json
from bars_portal.exchange.registry import MessageType, message_types

_UUID: Json = {"type": "string", "format": "uuid"}
_URN: Json = {
    "type": "string",
    "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_INSTANT: Json = {"type": "string", "format": "date-time"}


def request_body(service_id: ServiceID) -> Json:
    """In both formats; the XML is described by its JSON twin."""
    example = {"summary": "A header alone: understood, and refused", "value": _example(service_id)}
    return {
        "required": True,
        "content": {
            Format.JSON.value: {"schema": _bundle(service_id), "examples": {"header": example}},
            Format.XML.value: {"schema": {"type": "string"}},
        },
    }


def _bundle(service_id: ServiceID) -> Json:
    return _object(
        resourceType={"const": "Bundle"},
        id=_UUID,
        meta=_object(versionId={"enum": ["1.0.0", "1.1.0"]}, lastUpdated=_INSTANT),
        type={"const": "message"},
        timestamp=_INSTANT,
        entry={
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_ENTRIES,
            "prefixItems": [_object(fullUrl=_URN, resource=_header(service_id))],
            "items": _object(fullUrl=_URN, resource=_content()),
        },
    )


def _header(service_id: ServiceID) -> Json:
    """MessageHeader: the event, reason and definition of the registered types."""
    kinds = message_types()
    reason = _coding(MessageReason.NEW.system, {each for kind in kinds for each in kind.reasons})
    destination = _object(endpoint={"type": "string", "examples": [service_id.token]})
    return _object(
        resourceType={"const": "MessageHeader"},
        eventCoding=_coding(MessageEvent.BOOKING_REQUEST.system, {kind.event for kind in kinds}),
        reason=_object(coding={"type": "array", "minItems": 1, "maxItems": 1, "items": reason}),
        definition={"enum": sorted({kind.definition for kind in kinds})},
        destination={"type": "array", "minItems": 1, "maxItems": 1, "items": destination},
        source=_object(endpoint={"type": "string"}),
        focus={"type": "array", "minItems": 1, "maxItems": 1, "items": _object(reference=_URN)},
    )


def _content() -> Json:
    """Any other resource; the statuses that a focus may have."""
    kinds = message_types()
    statuses = sorted({status for kind in kinds for status in kind.focus_statuses})
    named = {"type": "string", "pattern": "^[A-Z][A-Za-z]{2,40}$", "examples": _focus_types(kinds)}
    built = _object(resourceType=named)
    built["properties"]["status"] = {"enum": statuses}
    return built


def _focus_types(kinds: list[MessageType]) -> list[str]:
    return sorted({kind.focus_type for kind in kinds})


def _coding(system: str, codes: set[str]) -> Json:
    return _object(system={"const": system}, code={"enum": sorted(codes)})


def _object(**members: Json) -> Json:
    return {"type": "object", "required": list(members), "properties": members}


def _example(service_id: ServiceID) -> Json:
    kind = min(message_types(), key=lambda each: each.key)
    focus = "urn:uuid:0d5c9cf4-5a0e-4f0e-8a33-6a4f9f3d9b02"
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": kind.event.system, "code": kind.event},
        "reason": {"coding": [{"system": MessageReason.NEW.system, "code": min(kind.reasons)}]},
        "definition": kind.definition,
        "destination": [{"endpoint": service_id.token}],
        "source": {"endpoint": service_id.token},
        "focus": [{"reference": focus}],
    }
    return {
        "resourceType": "Bundle",
        "id": "5a3b6f0e-7a70-4c3d-9a5e-0f4f4d6d5c01",
        "meta": {"versionId": "1.1.0", "lastUpdated": "2030-01-07T08:00:00Z"},
        "type": "message",
        "timestamp": "2030-01-07T08:00:00Z",
        "entry": [{"fullUrl": "urn:uuid:3e0c7a9e-52a5-4d5c-8f0a-0a8f4b0d6c03", "resource": header}],
    }
