"""What TKW answers to a GET: the row of the tables, and the content that it gives."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from threading import Lock

from bars_portal.simulator.fhir import Resource, read_instant
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.definitions import capability, find_definitions, read_context
from bars_portal.simulator.tkw.messages import Message
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected
from bars_portal.simulator.tkw.slots import LONDON, find_slots, read_slot_search
from bars_portal.simulator.tkw.stateful import PATIENT, StatefulReceiver
from bars_portal.simulator.tkw.tables import decide

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
        authoredOn=shapes.stamp(now),
        occurrencePeriod={"start": shapes.stamp(now), "end": shapes.stamp(now + _TIME_FRAME)},
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
    return shapes.stamp(start), shapes.stamp(start + timedelta(minutes=30))


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and read_instant(value).tzinfo is not None
    except (ValueError, OverflowError):
        return False
