"""The resources at the level that helps a caller: type, entries, issues; FHIR says the rest."""

from bars_portal.exchange.fhir.outcomes import ERROR_CODE_SYSTEM
from bars_portal.exchange.receiver.openapi.answers import Json, outcome_schemas
from bars_portal.exchange.registry import readers

_UUID: Json = {"type": "string", "format": "uuid"}
_TEXT: Json = {"type": "string", "minLength": 1}


def components() -> Json:
    """By name, as `#/components/schemas/` refers to them."""
    return {
        "OperationOutcome": _resource("OperationOutcome", id=_UUID, issue=_listed(_issue(), fewest=1)),
        "CapabilityStatement": _resource(
            "CapabilityStatement", status=_TEXT, fhirVersion={"const": "4.0.1"}, rest=_listed({})
        ),
        "MessageBundle": _bundle("message"),
        "SearchsetBundle": _bundle("searchset", total={"type": "integer", "minimum": 0}),
        "Resource": _one_of_the_readers(),
        **outcome_schemas(),
    }


def _resource(kind: str, **members: Json) -> Json:
    return {
        "type": "object",
        "required": ["resourceType", *members],
        "properties": {"resourceType": {"const": kind}, **members},
    }


def _listed(items: Json, *, fewest: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": fewest}


def _issue() -> Json:
    coding = {
        "type": "object",
        "required": ["system", "code", "display"],
        "properties": {"system": {"const": ERROR_CODE_SYSTEM}, "code": _TEXT, "display": _TEXT},
    }
    return {
        "type": "object",
        "required": ["severity", "code", "details", "diagnostics"],
        "properties": {
            "severity": {"enum": ["error", "warning"]},
            "code": _TEXT,
            "details": {
                "type": "object",
                "required": ["coding"],
                "properties": {"coding": _listed(coding, fewest=1)},
            },
            "diagnostics": _TEXT,
            "expression": _listed(_TEXT, fewest=1),
        },
    }


def _bundle(kind: str, **members: Json) -> Json:
    entry = {
        "type": "object",
        "required": ["fullUrl", "resource"],
        "properties": {
            "fullUrl": _TEXT,
            "resource": {
                "type": "object",
                "required": ["resourceType"],
                "properties": {"resourceType": _TEXT},
            },
        },
    }
    described = _resource("Bundle", id=_UUID, type={"const": kind}, **members)
    # A searchset that found nothing has no entry.
    described["properties"]["entry"] = _listed(entry)
    return described


def _one_of_the_readers() -> Json:
    kinds = sorted(reader.resource_type for reader in readers() if reader.by_id)
    return {
        "type": "object",
        "required": ["resourceType", "id", "meta"],
        "properties": {"resourceType": {"enum": kinds}, "id": _UUID, "meta": {"type": "object"}},
    }
