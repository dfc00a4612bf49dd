"""What TKW answers to a GET: the row of the tables, and the content that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw import records, shapes
from bars_portal.simulator.tkw.deciding import decide
from bars_portal.simulator.tkw.definitions import capability, find_definitions, read_context
from bars_portal.simulator.tkw.search import read_slot_search
from bars_portal.simulator.tkw.slots import find_slots
from bars_portal.simulator.tkw.stateful import PATIENT, StatefulReceiver

# Resource type -> the requests of the tables for a read by id and for a search.
READS: Mapping[str, tuple[str, str]] = {
    "Appointment": ("get booking", "find bookings"),
    "ServiceRequest": ("get request", "find requests"),
}
STATEFUL = "Stateful: read"


@dataclass(frozen=True)
class Asked:
    """A GET: whom it is for, whose it is, its query as pairs, its own address and when it came."""

    service_id: str
    organisation: str
    parameters: Sequence[tuple[str, str]] = field(repr=False)
    link: str = field(repr=False)
    now: datetime


@dataclass(frozen=True)
class Found:
    """The content of an answer, and the name of the row that gave it."""

    content: Resource = field(repr=False)
    scenario: str


class Reads:
    """Every GET; each method raises Rejected."""

    def __init__(self, *, diary: records.Diary, stateful: StatefulReceiver) -> None:
        self._diary = diary
        self._stateful = stateful

    def capability(self, asked: Asked) -> Found:
        """GET /metadata."""
        row = decide("capability", facts={"target": [asked.service_id]})
        return Found(capability(row.gives), row.name)

    def definitions(self, asked: Asked) -> Found:
        """GET /MessageDefinition."""
        context = read_context(asked.parameters)
        row = decide("definitions", facts={"context": [context.service_id]})
        return Found(find_definitions(context, gives=row.gives, link=asked.link, now=asked.now), row.name)

    def slots(self, asked: Asked) -> Found:
        """GET /Slot."""
        search = read_slot_search(asked.parameters, target=asked.service_id, now=asked.now)
        kinds = ("free and busy slots", "slots") if search.statuses == {"free", "busy"} else ("slots",)
        row = decide(*kinds, facts={"service": [search.service_id]})
        return Found(find_slots(search, gives=row.gives, link=asked.link, now=asked.now), row.name)

    def one(self, kind: str, identity: str, asked: Asked) -> Found:
        """GET /Appointment/{id} and /ServiceRequest/{id}."""
        own = self._stateful.read(kind, identity, organisation=asked.organisation, now=asked.now)
        if own:
            return Found(own, STATEFUL)
        records.check_id(identity)
        row = decide(READS[kind][0], facts={"id": [identity]})
        if kind == "ServiceRequest":
            return Found(records.service_request(identity, row.gives, asked.now), row.name)
        times = self._diary.times(asked.service_id, asked.now)
        return Found(records.appointment(identity, times, asked.now), row.name)

    def search(self, kind: str, asked: Asked) -> Found:
        """GET /Appointment and /ServiceRequest: what every patient has, the stateful patient's own."""
        if _is_stateful(asked):
            own = self._stateful.current(kind, organisation=asked.organisation, now=asked.now)
            return Found(_searchset(own, asked), STATEFUL)
        row = decide(READS[kind][1], facts={})
        return Found(_searchset(self.one(kind, row.gives, asked).content, asked), row.name)


def _is_stateful(asked: Asked) -> bool:
    return any(
        name == "patient:identifier" and value.rpartition("|")[2] == PATIENT
        for name, value in asked.parameters
    )


def _searchset(content: Resource | None, asked: Asked) -> Resource:
    matches = [(shapes.full_url(content["resourceType"], content["id"]), content)] if content else []
    return shapes.searchset(matches, [], link=asked.link, now=asked.now)
