"""Makes the request of a step: template or bytes, format, the BaRS headers (standard section 3), query."""

import base64
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson

from bars_portal.simulator.fhir import JSON, XML, sound_xml
from bars_portal.simulator.selftest.messages import Values, build
from bars_portal.simulator.selftest.model import Json, Step
from bars_portal.simulator.selftest.paths import found

# The BaRS headers of a self-test's requests (standard section 3).


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


def usual_headers(service: str, conversation: str) -> dict[str, str]:
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


# Makes the request of a step: template or bytes, format, headers, query.


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
        return _post(body, step.options, values, step.options.get("type", JSON))
    return _call(step.what, step.options, values)


def _message(message: Json, options: Mapping[str, Any], values: Values) -> Outgoing:
    in_xml = options.get("as") == "xml"
    body = sound_xml(message) if in_xml else orjson.dumps(message)
    sent = _post(body, options, values, options.get("type", XML if in_xml else JSON))
    # What is sent as a header of its own goes before what the message says.
    headers = {"use-context": _use_context(message), **sent.headers}
    return replace(sent, message=message, headers=headers)


def _use_context(message: Json) -> str:
    """<use case>|<category>|<event>|<reason>, as the message has them."""
    codings = "category[*].coding[*].code"
    requests, bookings = found(message, f"ServiceRequest.{codings}"), found(message, _BOOKED_FOR)
    category, use_case = (*requests, "", "")[:2] if requests else ("booking", *bookings, "")[:2]
    event = found(message, "MessageHeader.eventCoding.code")
    reason = found(message, "MessageHeader.reason.coding[0].code")
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
    usual = usual_headers(service, values.fill("{{id:conversation}}"))
    if accept := options.get("accept"):
        usual["Accept"] = accept
    pretty = {name: encoded(each, pretty=True) for name, each in options.get("encoded", {}).items()}
    sent = usual | pretty | values.fill(dict(options.get("headers", {})))
    return {name: value for name, value in sent.items() if name not in options.get("without", ())}


def _query(options: Mapping[str, Any], values: Values) -> str:
    asked: dict[str, list[str]] = _slot_search(values) if options.get("slots") else {}
    for name, value in values.fill(dict(options.get("params", {}))).items():
        asked[name] = value if isinstance(value, list) else [value]
    pairs = "&".join(_pairs(asked))
    return f"?{pairs}" if pairs else ""


def _slot_search(values: Values) -> dict[str, list[str]]:
    """A well-formed search of a day around the first slot that the scenario took, or of the next days."""
    start = values.slots["slot"]["start"] if "slot" in values.slots else values.stamp("now+1d")
    end = values.slots["slot"]["end"] if "slot" in values.slots else values.stamp("now+2d")
    return {
        "Schedule.actor:HealthcareService": [values.fixed["service"]],
        "status": ["free"],
        "start": [f"ge{start}", f"le{end}"],
        "_include": list(INCLUDES),
    }


def _pairs(asked: Mapping[str, list[str]]) -> Iterator[str]:
    for name, each in asked.items():
        yield from (f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}" for value in each)
