"""The Appointment: as we ask for it, as we accept it, as it is taken back, and as a message says it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import with_references
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    USE_CASE_SYSTEM,
    AppointmentStatus,
    CancellationReason,
    ParticipationStatus,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import is_uuid, same_system
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_from_fhir

# Our human-readable booking reference, as Appointment.identifier.
REFERENCE_SYSTEM = "https://bars-portal.local/Id/booking-reference"


def new_appointment(
    *,
    use_case: UseCase,
    start: str,
    end: str,
    slot_url: str,
    patient_url: str,
    now: datetime,
    based_on: str | None = None,
) -> Resource:
    """What a sender asks for. `start` and `end` are instants exactly as the slot has them."""
    basis = {"basedOn": [{"reference": f"ServiceRequest/{based_on}"}]} if based_on else {}
    return {
        "resourceType": "Appointment",
        "meta": _meta(now),
        "status": AppointmentStatus.BOOKED.value,
        "serviceCategory": [{"coding": [use_case.coding]}],
        "description": f"Booking {use_case.display}",
        "start": start,
        "end": end,
        "slot": [{"reference": slot_url}],
        "created": format_instant(now),
        **basis,
        "participant": [_patient_participant(patient_url)],
    }


def accepted_appointment(sent: Resource, *, booking_id: UUID, reference: str, now: datetime) -> Resource:
    """What was sent, with our id, version and reference (standard section 5, "Ids")."""
    theirs = [each for each in dicts(sent.get("identifier")) if each.get("system") != REFERENCE_SYSTEM]
    return {
        **sent,
        "id": str(booking_id),
        "meta": _meta(now, version=1, sent=sent),
        "identifier": [{"system": REFERENCE_SYSTEM, "value": reference}, *theirs],
    }


def ended_appointment(held: Resource, sent: Resource, *, version: int, now: datetime) -> Resource:
    """What we hold, taken back as the message says: its status and its reason."""
    reason = sent.get("cancelationReason")
    ended = {**held, "status": as_text(sent.get("status")), "meta": _meta(now, version=version, sent=held)}
    return {**ended, "cancelationReason": reason} if reason else ended


def cancelled_appointment(
    latest: Resource, *, own: Resource, patient_url: str, use_case: str, reason: str, now: datetime
) -> Resource:
    """The cancellation of the version that the receiver holds; `own` fills what that version leaves out.

    `reason` is a CancellationReason code or display, or words. A cancel carries no slot, and of the people
    only the patient.
    """
    base = {**own, **latest}
    kept = {
        name: value
        for name, value in base.items()
        if name not in ("slot", "contained", "text", "cancelationReason", "basedOn", "supportingInformation")
    }
    renamed = with_references(kept, lambda text: patient_url if _is_patient(text, patient_url) else None)
    return {
        **renamed,
        "meta": _meta(now),
        "status": AppointmentStatus.CANCELLED.value,
        "cancelationReason": _reason(reason),
        "serviceCategory": _service_category(renamed.get("serviceCategory"), use_case),
        "participant": _participants(renamed.get("participant"), patient_url),
    }


def reference_of(appointment: Resource) -> str:
    """The receiver's human-readable reference: the first Appointment.identifier; "" when there is none."""
    values = (as_text(each.get("value")) for each in dicts(appointment.get("identifier")))
    return next((each for each in values if each), "")


def _meta(now: datetime, *, version: int | None = None, sent: Resource | None = None) -> dict[str, Any]:
    profile = as_list(as_dict((sent or {}).get("meta")).get("profile")) or [profiles.uk_core("Appointment")]
    stamp: dict[str, Any] = {"versionId": str(version)} if version else {}
    return {**stamp, "lastUpdated": format_instant(now), "profile": profile}


def _patient_participant(patient_url: str) -> Resource:
    return {"actor": {"reference": patient_url}, "status": ParticipationStatus.ACCEPTED.value}


def _is_patient(reference: str, patient_url: str) -> bool:
    return reference == patient_url or reference.startswith("Patient/") or "/Patient/" in reference


def _participants(participants: object, patient_url: str) -> list[Resource]:
    """The patient as in the receiver's version; where it names nobody that we know, the patient alone."""
    found = [
        each for each in dicts(participants) if as_dict(each.get("actor")).get("reference") == patient_url
    ]
    return found[:1] or [_patient_participant(patient_url)]


def _service_category(categories: object, use_case: str) -> list[Resource]:
    known = any(same_system(as_text(each.get("system")), USE_CASE_SYSTEM) for each in codings(categories))
    return as_list(categories) if known else [{"coding": [UseCase(use_case).coding]}]


def _reason(reason: str) -> Resource:
    known = next((each for each in CancellationReason if reason in (each.value, each.display)), None)
    return {"coding": [known.coding]} if known else {"text": reason.strip() or "Cancelled by the sender"}


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
