"""A booking message that reached us, read once into a type of our own, and what it is answered with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import referred_to, with_references
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts, id_in
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.reading import patient_in

# Our human-readable booking reference, as Appointment.identifier.
REFERENCE_SYSTEM = "https://bars-portal.local/Id/booking-reference"
_DESCRIPTION = 500
_URN = "urn:uuid:"


@dataclass(frozen=True)
class ReceivedBooking:
    """The Appointment of a message with what it says. `start` and `end` are aware.

    `slot_id` is None when the message names none (a cancel). `last_updated` is the sender's own stamp.
    """

    bundle: MessageBundle = field(repr=False)
    appointment: Resource = field(repr=False)
    url: str
    start: datetime
    end: datetime
    use_case: str
    patient: PatientDetails = field(repr=False)
    description: str = field(default="", repr=False)
    appointment_id: UUID | None = None
    slot: Resource | None = field(default=None, repr=False)
    slot_id: UUID | None = None
    last_updated: datetime | None = None

    @property
    def url_id(self) -> UUID | None:
        """The UUID of the Appointment's fullUrl."""
        return _uuid(self.url[len(_URN) :]) if self.url.startswith(_URN) else None

    @property
    def columns(self) -> dict[str, Any]:
        """What a booking keeps of it in columns of its own; everything else stays in its resource."""
        return {
            "use_case": self.use_case,
            "description": self.description,
            "start": self.start,
            "end": self.end,
        }


def parse_booking(bundle: MessageBundle, *, now: datetime) -> ReceivedBooking:
    """Raises OutcomeError for what the rules before it cannot have let through by accident."""
    appointment = bundle.focus
    if appointment is None:
        raise fault(OutcomeCode.INVARIANT, "MessageHeader.focus points at nothing in the Bundle")
    start, end = read_times(appointment)
    if start is None or end is None:
        raise fault(OutcomeCode.VALUE, "Appointment.start and Appointment.end are needed, with offsets")
    slot_id, slot = _slot(bundle, appointment)
    return ReceivedBooking(
        bundle=bundle,
        appointment=appointment,
        url=bundle.full_url_of(appointment),
        start=start,
        end=end,
        use_case=_use_case(appointment),
        patient=patient_in(bundle, _patient(bundle, appointment), now=now),
        description=as_text(appointment.get("description"))[:_DESCRIPTION],
        appointment_id=_uuid(as_text(appointment.get("id"))),
        slot=slot,
        slot_id=slot_id,
        last_updated=read_instant(as_dict(appointment.get("meta")).get("lastUpdated")),
    )


def read_times(appointment: Resource) -> tuple[datetime | None, datetime | None]:
    """Start and end, each None when it is missing or no instant."""
    return read_instant(appointment.get("start")), read_instant(appointment.get("end"))


def accepted_appointment(sent: Resource, *, booking_id: UUID, reference: str, now: datetime) -> Resource:
    """What was sent, with our id, version, reference and time of booking (standard section 5, "Ids")."""
    theirs = [each for each in dicts(sent.get("identifier")) if each.get("system") != REFERENCE_SYSTEM]
    return {
        **sent,
        "id": str(booking_id),
        "created": format_instant(now),
        "meta": _meta(now, 1, sent),
        "identifier": [{"system": REFERENCE_SYSTEM, "value": reference}, *theirs],
    }


def ended_appointment(held: Resource, sent: Resource, *, version: int, now: datetime) -> Resource:
    """What we hold, taken back as the message says: its status and its reason."""
    reason = sent.get("cancelationReason")
    ended = {**held, "status": as_text(sent.get("status")), "meta": _meta(now, version, held)}
    return {**ended, "cancelationReason": reason} if reason else ended


def cancelled_here(held: Resource, *, reason: str, version: int, now: datetime) -> Resource:
    """What we hold, cancelled by the service itself."""
    cancelled = {"status": "cancelled", "cancelationReason": {"text": reason}}
    return {**held, **cancelled, "meta": _meta(now, version, held)}


def moved(
    held: Resource,
    included: Sequence[Sequence[Any]],
    *,
    slot: tuple[str, Resource],
    around: Sequence[tuple[str, Resource]],
    version: int,
    now: datetime,
) -> tuple[Resource, list[list[Any]]]:
    """The Appointment at the time of `slot` (fullUrl and resource), and what goes with it.

    `around`: the diary of the slot, with whose and where it is. It takes the place of what was said of the
    old one; references to what is gone go too.
    """
    entries = [(url, resource) for url, resource in included]
    old = [each for each in entries if each[1].get("resourceType") == "Slot"]
    # Only what the slot came with: a practitioner may be the sender's own too.
    new = {url for url, _ in around}
    gone = {url for url, _ in old} | new
    for _, each in old:
        reached = referred_to(each, entries)
        gone |= {url for url, resource in reached if resource.get("resourceType") in _OF_A_DIARY}
    people = [
        each
        for each in dicts(held.get("participant"))
        if as_dict(each.get("actor")).get("reference") not in gone - new
    ]
    appointment = {
        **held,
        "participant": people,
        "start": slot[1]["start"],
        "end": slot[1]["end"],
        "slot": [{"reference": slot[0]}],
        "meta": _meta(now, version, held),
    }

    def rename(text: str) -> str | None:
        return None if text in gone - new else text

    kept = [[url, with_references(resource, rename)] for url, resource in entries if url not in gone]
    return with_references(appointment, rename), [list(slot), *kept, *(list(each) for each in around)]


_OF_A_DIARY = frozenset({"Schedule", "HealthcareService", "Location", "Practitioner", "PractitionerRole"})


def _meta(now: datetime, version: int, before: Resource) -> Resource:
    profile = as_list(as_dict(before.get("meta")).get("profile")) or [profiles.uk_core("Appointment")]
    return {"versionId": str(version), "lastUpdated": format_instant(now), "profile": profile}


def read_instant(value: object) -> datetime | None:
    try:
        return parse_instant(as_text(value))
    except InvalidInstant:
        return None


def _uuid(text: str) -> UUID | None:
    return UUID(text) if is_uuid(text) else None


def _slot(bundle: MessageBundle, appointment: Resource) -> tuple[UUID | None, Resource | None]:
    """By the Slot in the Bundle, or by a reference "Slot/<id>" to one that is not."""
    reference = next(dicts(appointment.get("slot")), {})
    slot = bundle.resolve(reference)
    if slot is not None:
        return _uuid(as_text(slot.get("id"))), slot
    return _uuid(id_in(reference, "Slot")), None


def _patient(bundle: MessageBundle, appointment: Resource) -> Resource | None:
    """The participant that is a Patient, else the only Patient of the message."""
    actors = (bundle.resolve(each.get("actor")) for each in dicts(appointment.get("participant")))
    named = (each for each in actors if each is not None and each.get("resourceType") == "Patient")
    return next(named, next(iter(bundle.of_type("Patient")), None))


def _use_case(appointment: Resource) -> str:
    found = (UseCase.lookup(each.get("code")) for each in codings(appointment.get("serviceCategory")))
    return next((each.value for each in found if each), "")
