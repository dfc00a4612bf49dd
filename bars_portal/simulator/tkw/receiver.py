"""TKW as a receiver behind the proxy: paths (case-sensitive) to answers, JSON and XML.

What it answers to a GET: the row of the tables, and the content that it gives.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from threading import Lock
from urllib.parse import parse_qsl

from bars_portal.simulator.config import Clock
from bars_portal.simulator.fhir import (
    NotFhir,
    Resource,
    UnknownMedia,
    fhir_answer,
    read_bundle,
    read_instant,
    stamp,
)
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.headers import ORGANISATION_HEADER, organisation_code
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.definitions import capability, find_definitions, read_context
from bars_portal.simulator.tkw.messages import Message, acknowledge, check, check_content, id_for, understand
from bars_portal.simulator.tkw.shapes import LONDON, find_slots, read_slot_search
from bars_portal.simulator.tkw.stateful import PATIENT, StatefulReceiver
from bars_portal.simulator.tkw.tables import ReceiverError, Rejected, decide, refusal
from bars_portal.simulator.wire import Answer, Request

PROFILE = "https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-"
# What a row of the tables gives to a read -> category, use case, status.
REQUESTS = {
    "active-referral": ("referral", "a1t1", "active"),
    "revoked-referral": ("referral", "a1t1", "revoked"),
    "active-validation": ("validation", "a4t1", "active"),
}
# The profile of a validation asks for an end.
_TIME_FRAME = timedelta(hours=2)
# Resource type -> the requests of the tables for a read by id and for a search.
READS: Mapping[str, tuple[str, str]] = {
    "Appointment": ("get booking", "find bookings"),
    "ServiceRequest": ("get request", "find requests"),
}
STATEFUL = "Stateful: read"
Times = tuple[str, str]


class Diary:
    """Start and end of the last booking of each service, so that a read agrees with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: dict[str, Times] = {}

    def remember(self, service_id: str, booking: Message) -> None:
        """Keeps the booking's times. Raises Rejected where they are no instants."""
        start, end = booking.focus.get("start"), booking.focus.get("end")
        if not _is_instant(start) or not _is_instant(end):
            raise Rejected(ReceiverError.BAD_VALUE)
        with self._lock:
            self._last[service_id] = str(start), str(end)

    def times(self, service_id: str, now: datetime) -> Times:
        """The last booking's start and end; tomorrow at nine where there was none."""
        with self._lock:
            return self._last.get(service_id) or _tomorrow(now)

    def clear(self) -> None:
        """Forgets every booking."""
        with self._lock:
            self._last.clear()


@dataclass(frozen=True)
class Query:
    """A GET: whom it is for, whose it is, its query as pairs, its own address and when it came."""

    service_id: str
    organisation: str
    parameters: Sequence[tuple[str, str]] = field(repr=False)
    link: str = field(repr=False)
    now: datetime


@dataclass(frozen=True)
class RowContent:
    """The content of an answer, and the name of the row that gave it."""

    content: Resource = field(repr=False)
    scenario: str


@dataclass(frozen=True)
class Reads:
    """Every GET; each method raises Rejected."""

    diary: Diary
    stateful: StatefulReceiver

    def capability(self, query: Query) -> RowContent:
        """GET /metadata."""
        row = decide("capability", facts={"target": [query.service_id]})
        return RowContent(capability(row.gives), row.name)

    def definitions(self, query: Query) -> RowContent:
        """GET /MessageDefinition."""
        context = read_context(query.parameters)
        row = decide("definitions", facts={"context": [context.service_id]})
        return RowContent(
            find_definitions(context, gives=row.gives, link=query.link, now=query.now), row.name
        )

    def slots(self, query: Query) -> RowContent:
        """GET /Slot."""
        search = read_slot_search(query.parameters, target=query.service_id, now=query.now)
        kinds = ("free and busy slots", "slots") if search.statuses == {"free", "busy"} else ("slots",)
        row = decide(*kinds, facts={"service": [search.service_id]})
        return RowContent(find_slots(search, gives=row.gives, link=query.link, now=query.now), row.name)

    def one(self, kind: str, identity: str, query: Query) -> RowContent:
        """GET /Appointment/{id} and /ServiceRequest/{id}."""
        own = self.stateful.read(kind, identity, organisation=query.organisation, now=query.now)
        if own:
            return RowContent(own, STATEFUL)
        if not is_uuid(identity):
            raise Rejected(ReceiverError.BAD_VALUE)
        row = decide(READS[kind][0], facts={"id": [identity]})
        if kind == "ServiceRequest":
            return RowContent(_service_request(identity, row.gives, query.now), row.name)
        times = self.diary.times(query.service_id, query.now)
        return RowContent(_appointment(identity, times, query.now), row.name)

    def search(self, kind: str, query: Query) -> RowContent:
        """GET /Appointment and /ServiceRequest: what every patient has, the stateful patient's own."""
        if _is_stateful(query):
            own = self.stateful.current(kind, organisation=query.organisation, now=query.now)
            return RowContent(_searchset(own, query), STATEFUL)
        row = decide(READS[kind][1], facts={})
        return RowContent(_searchset(self.one(kind, row.gives, query).content, query), row.name)


def _is_stateful(query: Query) -> bool:
    return any(
        name == "patient:identifier" and value.rpartition("|")[2] == PATIENT
        for name, value in query.parameters
    )


def _searchset(content: Resource | None, query: Query) -> Resource:
    matches = [(shapes.full_url(content["resourceType"], content["id"]), content)] if content else []
    return shapes.searchset(matches, [], link=query.link, now=query.now)


def _appointment(identity: str, times: Times, now: datetime) -> Resource:
    """The Appointment that every booking gets."""
    content = shapes.resource(
        "Appointment",
        identity,
        now,
        status="booked",
        serviceCategory=[{"coding": [shapes.coding(shapes.USE_CASES, "a1t1")]}],
        start=times[0],
        end=times[1],
        participant=[{"actor": {"type": "Patient", "display": "Test patient"}, "status": "accepted"}],
    )
    content["meta"]["versionId"] = "1"
    return content


def _service_request(identity: str, gives: str, now: datetime) -> Resource:
    """The ServiceRequest that a read row gives, one of REQUESTS."""
    category, use_case, status = REQUESTS[gives]
    codings = [shapes.coding(shapes.CATEGORY, category), shapes.coding(shapes.USE_CASES, use_case)]
    content = shapes.resource(
        "ServiceRequest",
        identity,
        now,
        status=status,
        intent="plan",
        category=[{"coding": codings}],
        subject={"type": "Patient", "display": "Test patient"},
        authoredOn=stamp(now),
        occurrencePeriod={"start": stamp(now), "end": stamp(now + _TIME_FRAME)},
    )
    content["meta"] |= {"versionId": "1", "profile": [PROFILE + category]}
    return content


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID of 36 characters."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _tomorrow(now: datetime) -> Times:
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    start = datetime.combine(day, time(9), LONDON)
    return stamp(start), stamp(start + timedelta(minutes=30))


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and read_instant(value).tzinfo is not None
    except (ValueError, OverflowError):
        return False


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
