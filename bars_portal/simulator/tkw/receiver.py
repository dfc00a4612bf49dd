"""TKW as a receiver behind the proxy: paths (case-sensitive) to answers."""

from typing import Any
from urllib.parse import parse_qsl

from bars_portal.simulator.capability import RESOURCES, capability_statement
from bars_portal.simulator.config import Clock
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.tkw.bookings import Bookings
from bars_portal.simulator.tkw.definitions import find_definitions
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected, operation_outcome
from bars_portal.simulator.tkw.search import read_slot_search
from bars_portal.simulator.tkw.sentinels import DEFINITION_BASE, messages_of
from bars_portal.simulator.tkw.slots import find_slots
from bars_portal.simulator.wire import Answer, Request, json_answer

# What the endpoint catalogue holds, instead of a base URL, for the services that are played here.
TKW_BASE_URL = "simulator:tkw"
FHIR_JSON = "application/fhir+json"
MOST_PARAMETERS = 50

# First part of the path -> the only method it knows.
METHODS = {
    "metadata": "GET",
    "MessageDefinition": "GET",
    "Slot": "GET",
    "Appointment": "GET",
    "$process-message": "POST",
    "%24process-message": "POST",
}
LATER = frozenset({"ServiceRequest"})


class TkwReceiver:
    """Answers for every service whose catalogue entry is `simulator:tkw`."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._bookings = Bookings()

    def answer(self, call: Call) -> Answer:
        """The answer, both ids echoed; errors are OperationOutcomes."""
        try:
            status, content = 200, self._content(call)
        except Rejected as rejection:
            status, content = operation_outcome(rejection.error)
        return json_answer(status, content, *call.request.sent_ids(), media=FHIR_JSON)

    def _content(self, call: Call) -> dict[str, Any]:
        now, service_id = self._clock(), call.service_id
        place, *rest = call.suffix.removeprefix("/").split("/")
        _check_method(place, call.request.method)
        match place, rest:
            case "metadata", []:
                return _capability(service_id)
            case "MessageDefinition", []:
                return find_definitions(_parameters(call), link=_link(call), now=now)
            case "Slot", []:
                search = read_slot_search(_parameters(call), target=service_id, now=now)
                return find_slots(search, link=_link(call), now=now)
            case "Appointment", [appointment_id]:
                return self._bookings.read(appointment_id, service_id=service_id, now=now)
            case "Appointment", []:
                raise Rejected(ReceiverError.NOT_IMPLEMENTED)
            case "$process-message" | "%24process-message", []:
                return self._bookings.process(_json_body(call.request), service_id=service_id, now=now)
        raise Rejected(ReceiverError.NOT_FOUND)


def _check_method(place: str, method: str) -> None:
    if place in LATER:
        raise Rejected(ReceiverError.NOT_IMPLEMENTED)
    if place not in METHODS:
        raise Rejected(ReceiverError.NOT_FOUND)
    if METHODS[place] != method:
        raise Rejected(ReceiverError.METHOD_NOT_ALLOWED)


def _parameters(call: Call) -> list[tuple[str, str]]:
    try:
        return parse_qsl(call.request.query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as problem:
        raise Rejected(ReceiverError.BAD_VALUE) from problem


def _json_body(request: Request) -> bytes:
    if request.header("Content-Type").partition(";")[0].strip().lower() not in {
        FHIR_JSON,
        "application/json",
    }:
        raise Rejected(ReceiverError.MEDIA_TYPE)
    return request.body


def _link(call: Call) -> str:
    return f"{call.suffix.removeprefix('/')}?{call.request.query}"


def _capability(service_id: str) -> dict[str, Any]:
    messages = messages_of(service_id)
    return capability_statement(
        name="BaRSToolkitWorkbenchSimulator",
        description="Simulated TKW receiver",
        url="https://tkw.simulator.invalid/FHIR/R4",
        security="Certificates",
        resources=RESOURCES if messages else {"MessageDefinition": RESOURCES["MessageDefinition"]},
        definitions=[DEFINITION_BASE + name for name in messages],
    )
