"""A booking message that reached us, read once into a type of our own."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_from_fhir

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


def parse_booking(bundle: MessageBundle) -> ReceivedBooking:
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
        patient=patient_from_fhir(_patient(bundle, appointment)),
        description=as_text(appointment.get("description"))[:_DESCRIPTION],
        appointment_id=_uuid(as_text(appointment.get("id"))),
        slot=slot,
        slot_id=slot_id,
        last_updated=_instant(as_dict(appointment.get("meta")).get("lastUpdated")),
    )


def read_times(appointment: Resource) -> tuple[datetime | None, datetime | None]:
    """Start and end, each None when it is missing or no instant."""
    return _instant(appointment.get("start")), _instant(appointment.get("end"))


def _instant(value: object) -> datetime | None:
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
    named = as_text(reference.get("reference")).removeprefix("Slot/")
    return (_uuid(as_text(slot.get("id"))), slot) if slot is not None else (_uuid(named), None)


def _patient(bundle: MessageBundle, appointment: Resource) -> Resource | None:
    """The participant that is a Patient, else the only Patient of the message."""
    actors = (bundle.resolve(each.get("actor")) for each in dicts(appointment.get("participant")))
    named = (each for each in actors if each is not None and each.get("resourceType") == "Patient")
    return next(named, next(iter(bundle.of_type("Patient")), None))


def _use_case(appointment: Resource) -> str:
    found = (UseCase.lookup(each.get("code")) for each in codings(appointment.get("serviceCategory")))
    return next((each.value for each in found if each), "")
