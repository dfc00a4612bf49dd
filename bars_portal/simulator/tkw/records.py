"""GET /Appointment and /ServiceRequest: what TKW says it holds. Nothing about a patient is kept."""

import uuid
from datetime import datetime, time, timedelta
from threading import Lock

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw import shapes
from bars_portal.simulator.tkw.messages import Message
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected
from bars_portal.simulator.tkw.search import LONDON

PROFILE = "https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-"
# What a row of the tables gives to a read -> category, use case, status.
REQUESTS = {
    "active-referral": ("referral", "a1t1", "active"),
    "revoked-referral": ("referral", "a1t1", "revoked"),
    "active-validation": ("validation", "a4t1", "active"),
}
# The profile of a validation asks for an end.
_TIME_FRAME = timedelta(hours=2)
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


def appointment(identity: str, times: Times, now: datetime) -> Resource:
    """The Appointment that every booking gets."""
    content = shapes.resource(
        "Appointment",
        identity,
        now,
        status="booked",
        serviceCategory=[{"coding": [{"system": shapes.USE_CASES, "code": "a1t1"}]}],
        start=times[0],
        end=times[1],
        participant=[{"actor": {"type": "Patient", "display": "Test patient"}, "status": "accepted"}],
    )
    content["meta"]["versionId"] = "1"
    return content


def service_request(identity: str, gives: str, now: datetime) -> Resource:
    """The ServiceRequest that a read row gives, one of REQUESTS."""
    category, use_case, status = REQUESTS[gives]
    codings = [
        {"system": shapes.CATEGORY, "code": category},
        {"system": shapes.USE_CASES, "code": use_case},
    ]
    content = shapes.resource(
        "ServiceRequest",
        identity,
        now,
        status=status,
        intent="plan",
        category=[{"coding": codings}],
        subject={"type": "Patient", "display": "Test patient"},
        authoredOn=now.isoformat(timespec="seconds"),
        occurrencePeriod={
            "start": now.isoformat(timespec="seconds"),
            "end": (now + _TIME_FRAME).isoformat(timespec="seconds"),
        },
    )
    content["meta"] |= {"versionId": "1", "profile": [PROFILE + category]}
    return content


def check_id(text: str) -> None:
    """Raises Rejected when the text is no UUID."""
    try:
        sound = str(uuid.UUID(text)) == text.lower()
    except ValueError:
        sound = False
    if not sound:
        raise Rejected(ReceiverError.BAD_VALUE)


def _tomorrow(now: datetime) -> Times:
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    start = datetime.combine(day, time(9), LONDON)
    return start.isoformat(), (start + timedelta(minutes=30)).isoformat()


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
