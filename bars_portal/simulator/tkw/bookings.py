"""POST /$process-message for bookings, and GET /Appointment/{id}. Nothing about a patient is kept."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from threading import Lock
from typing import Any

import orjson

from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected
from bars_portal.simulator.tkw.search import LONDON
from bars_portal.simulator.tkw.sentinels import BOOKED_APPOINTMENT, GET_APPOINTMENT, NEW_BOOKING

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/id/nhs-number"
USE_CASE = {"system": "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars", "code": "a1t1"}
CANCELLED = frozenset({"cancelled", "entered-in-error"})


@dataclass(frozen=True)
class _Times:
    start: str
    end: str


class Bookings:
    """TKW's diary: it holds the times of the last booking of each service, so that a read agrees with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: dict[str, _Times] = {}

    def process(self, body: bytes, *, service_id: str, now: datetime) -> shapes.Resource:
        """The answer to a booking or a cancellation: the same Bundle with our ids. Raises Rejected."""
        bundle, focus = _booking_message(body)
        status = str(focus.get("status"))
        if status == "booked":
            _refuse_sentinels(bundle)
            self._remember(service_id, focus)
        elif status not in CANCELLED:
            raise Rejected(ReceiverError.BAD_WORKFLOW)
        return _acknowledged(bundle, focus, now)

    def read(self, appointment_id: str, *, service_id: str, now: datetime) -> shapes.Resource:
        """The Appointment that every booking gets. Raises Rejected for any other id."""
        if appointment_id in GET_APPOINTMENT:
            raise Rejected(GET_APPOINTMENT[appointment_id])
        if not _is_uuid(appointment_id):
            raise Rejected(ReceiverError.BAD_VALUE)
        if appointment_id != BOOKED_APPOINTMENT:
            raise Rejected(ReceiverError.NOT_FOUND)
        with self._lock:
            times = self._last.get(service_id) or _tomorrow(now)
        return _appointment(times, now)

    def _remember(self, service_id: str, appointment: shapes.Resource) -> None:
        start, end = appointment.get("start"), appointment.get("end")
        if not _is_instant(start) or not _is_instant(end):
            raise Rejected(ReceiverError.BAD_VALUE)
        with self._lock:
            self._last[service_id] = _Times(str(start), str(end))


def _booking_message(body: bytes) -> tuple[shapes.Resource, shapes.Resource]:
    """The Bundle and its Appointment. Raises Rejected."""
    try:
        bundle = orjson.loads(body)
        resources = [entry["resource"] for entry in bundle["entry"]]
        kinds = [resource["resourceType"] for resource in resources]
        event = resources[kinds.index("MessageHeader")]["eventCoding"]["code"]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as problem:
        raise Rejected(ReceiverError.BAD_BODY) from problem
    if event != "booking-request":
        raise Rejected(ReceiverError.NOT_IMPLEMENTED)
    if bundle.get("type") != "message" or kinds.count("Appointment") != 1:
        raise Rejected(ReceiverError.BAD_BODY)
    return bundle, resources[kinds.index("Appointment")]


def _refuse_sentinels(bundle: shapes.Resource) -> None:
    for number in _nhs_numbers(bundle):
        if number in NEW_BOOKING:
            raise Rejected(NEW_BOOKING[number])


def _nhs_numbers(bundle: shapes.Resource) -> list[str]:
    patients = [
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient"
    ]
    identifiers = [each for patient in patients for each in _dicts(patient.get("identifier"))]
    return [
        str(each.get("value")) for each in identifiers if str(each.get("system")).lower() == NHS_NUMBER_SYSTEM
    ]


def _acknowledged(bundle: shapes.Resource, focus: shapes.Resource, now: datetime) -> shapes.Resource:
    """The sender's bundle: same Bundle.id, the focus with TKW's id, the slot busy, ids where none were."""
    focus["id"] = BOOKED_APPOINTMENT
    for entry in bundle["entry"]:
        content = entry["resource"]
        content.setdefault("id", shapes.stable_id("received", str(entry.get("fullUrl"))))
        if content["resourceType"] == "Slot":
            content["status"] = "busy"
    meta = bundle["meta"] if isinstance(bundle.get("meta"), dict) else {}
    stamp = now.isoformat(timespec="seconds")
    return {**bundle, "meta": {**meta, "lastUpdated": stamp}, "timestamp": stamp}


def _appointment(times: _Times, now: datetime) -> shapes.Resource:
    appointment = shapes.resource(
        "Appointment",
        BOOKED_APPOINTMENT,
        now,
        status="booked",
        serviceCategory=[{"coding": [USE_CASE]}],
        start=times.start,
        end=times.end,
        participant=[{"actor": {"type": "Patient", "display": "Test patient"}, "status": "accepted"}],
    )
    appointment["meta"]["versionId"] = "1"
    return appointment


def _tomorrow(now: datetime) -> _Times:
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    start = datetime.combine(day, time(9), LONDON)
    return _Times(start.isoformat(), (start + timedelta(minutes=30)).isoformat())


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
