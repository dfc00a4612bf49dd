"""Makes the request of a step: template or bytes, format, the BaRS headers (standard section 3), query."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import orjson

from bars_portal.simulator.fhir import FHIR_JSON, FHIR_XML, to_xml
from bars_portal.simulator.headers import ORGANISATION_HEADER, TARGET_HEADER, encode_header
from bars_portal.simulator.selftest.messages import Values, build
from bars_portal.simulator.selftest.model import Json, Step
from bars_portal.simulator.selftest.paths import PathError, values_at

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
PROCESS_MESSAGE = "/$process-message"
INCLUDES = ["Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService"]
_BOOKED_FOR = "Appointment.serviceCategory[*].coding[*].code"
# For the query: what stays readable in a report.
_SAFE = ":/|,$"


@dataclass(frozen=True)
class Outgoing:
    """A request before it goes; `message` is the FHIR in its body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    chunked: bool = False
    message: Json | None = None


def make(step: Step, values: Values, earlier: list[Outgoing]) -> Outgoing:
    """The request of the step. Raises PathError, NotFhir, UnknownPlaceholder for what is written wrong."""
    if step.does == "repeat":
        return _repeated(earlier[int(step.what) - 1], step.options, values)
    if step.does == "send":
        return _message(build(step.what, step.options, values), step.options, values)
    if step.does == "post":
        body = values.fill(step.what).encode()
        return _post(body, step.options, values, step.options.get("type", FHIR_JSON))
    return _call(step.what, step.options, values)


def _message(message: Json, options: Mapping[str, Any], values: Values) -> Outgoing:
    in_xml = options.get("as") == "xml"
    body = to_xml(message) if in_xml else orjson.dumps(message)
    body = _respelt(body.decode(), options.get("respell", {})).encode()
    sent = _post(body, options, values, options.get("type", FHIR_XML if in_xml else FHIR_JSON))
    # What is sent as a header of its own goes before what the message says.
    headers = {"use-context": _use_context(message), **sent.headers}
    return replace(sent, message=message, headers=headers)


def _respelt(body: str, spellings: Mapping[str, str]) -> str:
    """What no message as a tree can say: prefixes of XML, elements twice. Raises PathError."""
    for usual, other in spellings.items():
        if usual not in body:
            raise PathError(f"{usual} is not in the body of the message")
        body = body.replace(usual, other)
    return body


def _use_context(message: Json) -> str:
    """<use case>|<category>|<event>|<reason>, as the message has them."""
    codings = "category[*].coding[*].code"
    requests, bookings = values_at(message, f"ServiceRequest.{codings}"), values_at(message, _BOOKED_FOR)
    category, use_case = (*requests, "", "")[:2] if requests else ("booking", *bookings, "")[:2]
    event = values_at(message, "MessageHeader.eventCoding.code")
    reason = values_at(message, "MessageHeader.reason.coding[0].code")
    return "|".join(map(str, (use_case, category, *event[:1], *reason[:1])))


def _post(body: bytes, options: Mapping[str, Any], values: Values, media_type: str) -> Outgoing:
    headers = _headers(options, values)
    if media_type:
        headers = {"Content-Type": media_type, **headers}
    if options.get("zipped"):
        headers["Content-Encoding"] = "gzip"
        body = body if options["zipped"] == "badly" else gzip.compress(body)
    path = PROCESS_MESSAGE + _query(options, values)
    return Outgoing("POST", path, headers, body, chunked=bool(options.get("chunked")))


def _repeated(first: Outgoing, options: Mapping[str, Any], values: Values) -> Outgoing:
    headers = dict(first.headers)
    if options.get("ids") == "new":
        headers[REQUEST_ID] = str(uuid4())
    return replace(first, headers=headers | values.fill(dict(options.get("headers", {}))))


def _call(what: str, options: Mapping[str, Any], values: Values) -> Outgoing:
    method, _, path = values.fill(what).partition(" ")
    return Outgoing(method, path + _query(options, values), _headers(options, values))


def _headers(options: Mapping[str, Any], values: Values) -> dict[str, str]:
    service = values.fill(options.get("service", "{{service}}"))
    usual = _usual_headers(service, values.fill("{{id:conversation}}"))
    if accept := options.get("accept"):
        usual["Accept"] = accept
    pretty = {name: encode_header(each, pretty=True) for name, each in options.get("encoded", {}).items()}
    sent = usual | pretty | values.fill(dict(options.get("headers", {})))
    return {name: value for name, value in sent.items() if name not in options.get("without", ())}


def _usual_headers(service: str, conversation: str) -> dict[str, str]:
    """What every request carries: a new request id, the conversation's id, target, organisation, software."""
    return {
        REQUEST_ID: str(uuid4()),
        CORRELATION_ID: conversation,
        TARGET_HEADER: encode_header({"system": SERVICE_SYSTEM, "value": service}),
        ORGANISATION_HEADER: encode_header(ORGANISATION),
        "NHSD-Requesting-Software": encode_header(SOFTWARE),
        "Accept": ACCEPT,
    }


def _query(options: Mapping[str, Any], values: Values) -> str:
    asked: dict[str, list[str]] = _slot_search(values) if options.get("slots") else {}
    for name, value in values.fill(dict(options.get("params", {}))).items():
        asked[name] = value if isinstance(value, list) else [value]
    pairs = [(name, value) for name, several in asked.items() for value in several]
    return f"?{urlencode(pairs, safe=_SAFE, quote_via=quote)}" if pairs else ""


def _slot_search(values: Values) -> dict[str, list[str]]:
    """A well-formed search of a day around the first slot that the scenario took, or of the next days."""
    slot = values.slots.get("slot", {"start": values.stamp("now+1d"), "end": values.stamp("now+2d")})
    return {
        "Schedule.actor:HealthcareService": [values.fixed["service"]],
        "status": ["free"],
        "start": [f"ge{slot['start']}", f"le{slot['end']}"],
        "_include": list(INCLUDES),
    }
