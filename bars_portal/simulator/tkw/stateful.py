"""The stateful 111-to-ED receiver: one patient, one state per end-user organisation, new every night.

The table is tables/stateful.csv; everything hangs on the booking, so cancelling it leads back to the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from uuid import uuid4

from bars_portal.simulator.fhir import Resource, dicts, stamp
from bars_portal.simulator.tkw.messages import Message, acknowledge
from bars_portal.simulator.tkw.shapes import LONDON
from bars_portal.simulator.tkw.tables import BY_REASON, Rejected, transitions

PATIENT = "9707606312"
INITIAL = "initial"
# What a read shows of a booking or referral: nothing of whom it is about.
_READ = frozenset(
    {
        *("resourceType", "id", "status", "intent", "category", "serviceCategory"),
        *("start", "end", "created", "occurrencePeriod", "authoredOn"),
    }
)
_EVENTS = {
    "new booking": "make a booking",
    "cancel booking": "cancel a booking",
    "cancel referral": "cancel a referral",
}


@dataclass
class _Organisation:
    """What one organisation has done: the ids of what is current, and every resource it may read."""

    state: str = INITIAL
    booking: str = ""
    referral: str = ""
    records: dict[str, Resource] = field(default_factory=dict)


class StatefulReceiver:
    """Thread-safe: of two bookings at the same moment one wins."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._organisations: dict[str, _Organisation] = {}
        self._day = date.min

    def handles(self, message: Message) -> bool:
        """Whether the message is about the stateful patient and one of the table's events."""
        return PATIENT in message.nhs_numbers and (message.kind in _EVENTS or message.kind == "new referral")

    def process(self, message: Message, *, organisation: str, now: datetime) -> tuple[Resource, str]:
        """The answer and the name of the cell that gave it. Raises Rejected."""
        with self._lock:
            mine = self._today(organisation, now)
            event = _event(message, mine)
            status, word = transitions()[event, mine.state]
            scenario = f"Stateful: {event}, {mine.state}"
            if status != 200:
                raise Rejected(BY_REASON[word], scenario)
            answer = _applied(message, mine, now)
            mine.state = word
        return answer, scenario

    def read(self, kind: str, identity: str, *, organisation: str, now: datetime) -> Resource | None:
        """A resource that the organisation booked or referred today; None when it is not one of these."""
        with self._lock:
            found = self._today(organisation, now).records.get(identity)
        return found if found and found["resourceType"] == kind else None

    def current(self, kind: str, *, organisation: str, now: datetime) -> Resource | None:
        """The organisation's last booking or referral of today, whatever its status; None without one."""
        with self._lock:
            mine = self._today(organisation, now)
            return mine.records.get(mine.booking if kind == "Appointment" else mine.referral)

    def reset(self, organisation: str | None = None) -> None:
        """Back to the initial state: one organisation's, or everyone's."""
        with self._lock:
            if organisation is None:
                self._organisations.clear()
            self._organisations.pop(organisation or "", None)

    def states(self, now: datetime) -> Mapping[str, str]:
        """Organisation to state, those that are not in the initial one."""
        with self._lock:
            self._turn_night(now)
            return {code: each.state for code, each in self._organisations.items() if each.state != INITIAL}

    def _today(self, organisation: str, now: datetime) -> _Organisation:
        self._turn_night(now)
        return self._organisations.setdefault(organisation, _Organisation())

    def _turn_night(self, now: datetime) -> None:
        day = now.astimezone(LONDON).date()
        if day != self._day:
            self._organisations.clear()
            self._day = day


def _event(message: Message, mine: _Organisation) -> str:
    if message.kind in _EVENTS:
        return _EVENTS[message.kind]
    linked = bool(mine.booking) and mine.booking in _supporting(message.focus)
    return "create a linked referral" if linked else "create a mis-linked referral"


def _supporting(request: Resource) -> set[str]:
    """The ids that ServiceRequest.supportingInfo refers to, whatever form the reference has."""
    texts = [str(each.get("reference", "")) for each in dicts(request.get("supportingInfo"))]
    return {text.replace(":", "/").split("/_history/")[0].rpartition("/")[2] for text in texts}


def _applied(message: Message, mine: _Organisation, now: datetime) -> Resource:
    booking = message.focus["resourceType"] == "Appointment"
    if message.kind.startswith("new"):
        if booking:
            mine.booking, mine.referral = str(uuid4()), ""
        else:
            mine.referral = str(uuid4())
    identity = mine.booking if booking else mine.referral
    answer = acknowledge(message, gives=identity, now=now)
    mine.records[identity] = _record(answer, identity, mine.records.get(identity), now)
    return answer


def _record(answer: Resource, identity: str, before: Resource | None, now: datetime) -> Resource:
    """The focus as a read shows it, without whom it is about; a cancellation is the next version."""
    (focus,) = (each["resource"] for each in answer["entry"] if each["resource"].get("id") == identity)
    version = int(before["meta"]["versionId"]) + 1 if before else 1
    meta = {"versionId": str(version), "lastUpdated": stamp(now)}
    kept = {name: value for name, value in focus.items() if name in _READ}
    if focus["resourceType"] == "Appointment":
        person = {"actor": {"type": "Patient", "display": "Test patient"}, "status": "accepted"}
        return kept | {"meta": meta, "participant": [person]}
    return kept | {"meta": meta, "subject": {"type": "Patient", "display": "Test patient"}}
