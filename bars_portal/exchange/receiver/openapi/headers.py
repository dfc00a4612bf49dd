"""The request headers (standard section 3): the ids needed, the NHSD ones as the base64 that we write."""

from uuid import UUID

from bars_portal.exchange.fhir.codes import MessageCategory, MessageEvent, MessageReason, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.receiver.openapi.answers import Json
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    REQUEST_ID,
    USE_CONTEXT,
    OutgoingContext,
    Party,
    Practitioner,
    Software,
    encode_headers,
)

_UUID: Json = {"type": "string", "format": "uuid"}
_BASE64: Json = {"type": "string", "contentEncoding": "base64", "pattern": r"^[A-Za-z0-9+/]+={0,2}$"}
_EXAMPLE_ID = UUID("5d0f1a4e-3a53-4f77-9d53-0a2f6f1f6a01")
# Statistics only: the receiver never judges it.
_USE_CONTEXT_PATTERN = r"\|".join(
    f"({'|'.join(codes)})" for codes in (UseCase, [*MessageCategory, ""], MessageEvent, MessageReason)
)


def components(service_id: ServiceID) -> Json:
    """By name: every header that a request may carry, with an example."""
    written = encode_headers(_example(service_id))
    found = {name: _header(name, value) for name, value in written.items()}
    return found | {"Accept-Encoding": _parameter("Accept-Encoding", {"enum": ["gzip", "identity"]}, "gzip")}


def references(verb: str) -> list[Json]:
    """What an operation refers to; `use-context` belongs to writes. Accept is the media types' own."""
    names = [*encode_headers(_example(ServiceID("0"))), "Accept-Encoding"]
    sent = [name for name in names if name != USE_CONTEXT or verb == "post"]
    return [{"$ref": f"#/components/parameters/{name}"} for name in sent]


def _header(name: str, example: str) -> Json:
    if name in (REQUEST_ID, CORRELATION_ID):
        return _parameter(name, _UUID, example, required=True)
    if name == USE_CONTEXT:
        return _parameter(name, {"type": "string", "pattern": f"^{_USE_CONTEXT_PATTERN}$"}, example)
    return _parameter(name, _BASE64, example)


def _parameter(name: str, schema: Json, example: str, *, required: bool = False) -> Json:
    return {"name": name, "in": "header", "required": required, "schema": schema, "example": example}


def _example(service_id: ServiceID) -> OutgoingContext:
    return OutgoingContext(
        request_id=_EXAMPLE_ID,
        correlation_id=_EXAMPLE_ID,
        target=service_id,
        organisation=Party(ods_code="A1001", name="Sending organisation"),
        software=Software(identifier="EXAMPLE-1", name="Example sender", version="1.0.0"),
        practitioner=Practitioner(role_id="555086692105"),
        use_context=f"{next(iter(UseCase))}||{MessageEvent.BOOKING_REQUEST}|{MessageReason.NEW}",
    )
