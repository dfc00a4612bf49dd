"""TKW as a receiver behind the proxy: paths (case-sensitive) to answers, JSON and XML."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from bars_portal.simulator.config import Clock
from bars_portal.simulator.fhir import NotFhir, UnknownMedia, fhir_answer, read_bundle
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.headers import ORGANISATION_HEADER, organisation_code
from bars_portal.simulator.tkw.messages import Message, acknowledge, check, check_content, id_for, understand
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected, refusal
from bars_portal.simulator.tkw.reads import Diary, Query, Reads, RowContent, is_uuid
from bars_portal.simulator.tkw.stateful import StatefulReceiver
from bars_portal.simulator.tkw.tables import decide
from bars_portal.simulator.wire import Answer, Request

# What the endpoint catalogue holds, instead of a base URL, for the services that are played here.
TKW_BASE_URL = "simulator:tkw"
MOST_PARAMETERS = 50
REQUEST_ID = "X-Request-Id"
USE_CONTEXT = "use-context"

# First part of the path -> the only method it knows.
METHODS = {
    "metadata": "GET",
    "MessageDefinition": "GET",
    "Slot": "GET",
    "Appointment": "GET",
    "ServiceRequest": "GET",
    "$process-message": "POST",
    "%24process-message": "POST",
}
# Told of a reply that a row sets off: which one, the request's message, and how it came.
SetOff = Callable[[str, Message, Call], None]


class TkwReceiver:
    """Answers for every service whose catalogue entry is `simulator:tkw`."""

    def __init__(self, *, clock: Clock, set_off: SetOff) -> None:
        self._clock = clock
        self._set_off = set_off
        self._diary = Diary()
        self._stateful = StatefulReceiver()
        self._reads = Reads(diary=self._diary, stateful=self._stateful)

    def answer(self, call: Call) -> Answer:
        """The answer, both ids echoed; errors are OperationOutcomes."""
        try:
            row = self._content(call)
            status, content, scenario = 200, row.content, row.scenario
        except Rejected as rejection:
            status, content = refusal(rejection.error)
            scenario = rejection.scenario
        return fhir_answer(status, content, call.request, scenario=scenario)

    def reset(self, organisation: str | None = None) -> None:
        """The stateful scenarios back to their start: one organisation's, or everyone's with the diary."""
        self._stateful.reset(organisation)
        if organisation is None:
            self._diary.clear()

    def states(self) -> Mapping[str, str]:
        """ODS code to state of the stateful scenarios, those that are past their start."""
        return self._stateful.states(self._clock())

    def _content(self, call: Call) -> RowContent:
        place, *rest = call.suffix.removeprefix("/").split("/")
        _check_method(place, call.request.method)
        _check_ids(call.request)
        match place, rest:
            case (("$process-message" | "%24process-message"), []):
                return self._processed(_message(call.request), call, self._clock())
            case "metadata", []:
                return self._reads.capability(self._query(call))
            case "MessageDefinition", []:
                return self._reads.definitions(self._query(call))
            case "Slot", []:
                return self._reads.slots(self._query(call))
            case (("Appointment" | "ServiceRequest"), [identity]):
                return self._reads.one(place, identity, self._query(call))
            case (("Appointment" | "ServiceRequest"), []):
                return self._reads.search(place, self._query(call))
        raise Rejected(ReceiverError.NOT_FOUND)

    def _query(self, call: Call) -> Query:
        link = f"{call.suffix.removeprefix('/')}?{call.request.query}"
        return Query(call.service_id, _organisation(call), _parameters(call), link, self._clock())

    def _processed(self, message: Message, call: Call, now: datetime) -> RowContent:
        check_content(message)
        if self._stateful.handles(message):
            return RowContent(*self._stateful.process(message, organisation=_organisation(call), now=now))
        row = decide(message.kind, facts={"target": [call.service_id], **message.facts})
        check(row.checks, message)
        if message.kind == "new booking":
            self._diary.remember(call.service_id, message)
        if row.reply:
            self._set_off(row.reply, message, call)
        return RowContent(acknowledge(message, gives=id_for(message, row.gives), now=now), row.name)


def _check_method(place: str, method: str) -> None:
    if place not in METHODS:
        raise Rejected(ReceiverError.NOT_FOUND)
    if METHODS[place] != method:
        raise Rejected(ReceiverError.METHOD_NOT_ALLOWED)


def _check_ids(request: Request) -> None:
    """Their form: that they are there the proxy has seen to (standard section 12)."""
    wrong = [name for name, value in request.sent_ids() if not is_uuid(value)]
    category = request.header(USE_CONTEXT).split("|")[1:2]
    if REQUEST_ID in wrong and [each.strip().lower() for each in category] == ["validation"]:
        raise Rejected(ReceiverError.BAD_VALIDATION_ID)
    if wrong:
        raise Rejected(ReceiverError.BAD_VALUE)


def _parameters(call: Call) -> list[tuple[str, str]]:
    try:
        return parse_qsl(call.request.query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as problem:
        raise Rejected(ReceiverError.BAD_VALUE) from problem


def _organisation(call: Call) -> str:
    return organisation_code(call.request.header(ORGANISATION_HEADER))


def _message(request: Request) -> Message:
    try:
        return understand(read_bundle(request))
    except UnknownMedia as problem:
        raise Rejected(ReceiverError.MEDIA_TYPE) from problem
    except NotFhir as problem:
        raise Rejected(ReceiverError.BAD_BODY) from problem
