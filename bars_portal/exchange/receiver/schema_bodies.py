"""Bodies described: a message whose header says a registered type; resources so far as it helps a caller."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiRequest

from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.limits import MAX_ENTRIES
from bars_portal.exchange.fhir.outcomes import ERROR_CODE_SYSTEM, OutcomeCode
from bars_portal.exchange.registry import message_types, readers

Json = dict[str, Any]

_UUID: Json = {"type": "string", "format": "uuid"}
_URN: Json = {
    "type": "string",
    "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_TEXT: Json = {"type": "string", "minLength": 1}


def message_bodies(service_id: ServiceID) -> dict[str, OpenApiRequest]:
    """`$process-message` in both formats; the XML is described by its JSON twin."""
    example = OpenApiExample(
        "Header", _example(service_id), summary="A header alone: understood, and refused"
    )
    return {
        Format.JSON.value: OpenApiRequest(_message(service_id), examples=[example]),
        Format.XML.value: OpenApiRequest({"type": "string"}),
    }


def _message(service_id: ServiceID) -> Json:
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
    focuses = sorted({kind.focus_type for kind in kinds})
    named = {"type": "string", "pattern": "^[A-Z][A-Za-z]{2,40}$", "examples": focuses}
    built = _object(resourceType=named)
    built["properties"]["status"] = {"enum": statuses}
    return built


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


def component_schemas() -> Json:
    """By name, as `#/components/schemas/` refers to them."""
    return {
        "OperationOutcome": _resource("OperationOutcome", id=_UUID, issue=_listed(_issue(), fewest=1)),
        "CapabilityStatement": _resource(
            "CapabilityStatement", status=_TEXT, fhirVersion={"const": "4.0.1"}, rest=_listed({})
        ),
        "MessageBundle": _bundle("message"),
        "SearchsetBundle": _bundle("searchset", total={"type": "integer", "minimum": 0}),
        "Resource": _one_of_the_readers(),
        **{outcome_name(status): _outcome(status) for status in {code.status for code in OutcomeCode}},
    }


def outcome_name(status: int) -> str:
    """Of the OperationOutcome with the codes that the catalogue gives this status."""
    return f"OperationOutcome{status}"


def _resource(kind: str, **members: Json) -> Json:
    return _object(resourceType={"const": kind}, **members)


def _listed(items: Json, *, fewest: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": fewest}


def _issue() -> Json:
    coding = _object(system={"const": ERROR_CODE_SYSTEM}, code=_TEXT, display=_TEXT)
    described = _object(
        severity={"enum": ["error", "warning"]},
        code=_TEXT,
        details=_object(coding=_listed(coding, fewest=1)),
        diagnostics=_TEXT,
    )
    described["properties"]["expression"] = _listed(_TEXT, fewest=1)
    return described


def _bundle(kind: str, **members: Json) -> Json:
    described = _resource("Bundle", id=_UUID, type={"const": kind}, **members)
    # A searchset that found nothing has no entry.
    described["properties"]["entry"] = _listed(_object(fullUrl=_TEXT, resource=_object(resourceType=_TEXT)))
    return described


def _one_of_the_readers() -> Json:
    kinds = sorted(reader.resource_type for reader in readers() if reader.by_id)
    return _object(resourceType={"enum": kinds}, id=_UUID, meta={"type": "object"})


def _outcome(status: int) -> Json:
    """Other issues of the list may have other codes; only the first decides, which JSON Schema can say."""
    codes = [code for code in OutcomeCode if code.status == status]
    coding = {
        "properties": {
            "code": {"enum": sorted({code.code for code in codes})},
            "display": {"enum": sorted({f"{status} - {code.code}" for code in codes})},
        }
    }
    first = {
        "properties": {
            "code": {"enum": sorted({code.issue for code in codes})},
            "details": {"properties": {"coding": {"prefixItems": [coding]}}},
        }
    }
    return {
        "allOf": [
            {"$ref": "#/components/schemas/OperationOutcome"},
            {"properties": {"issue": {"prefixItems": [first]}}},
        ]
    }
