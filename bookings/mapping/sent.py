"""Our booking messages, exactly what their MessageDefinitions ask for (messages.md section 5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.differences import Told
from bars_portal.correspondence.entries import (
    Entry,
    Parties,
    derived_url,
    full_url,
    with_references,
)
from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, Resource, new_message
from bars_portal.exchange.fhir.codes import (
    USE_CASE_SYSTEM,
    AppointmentStatus,
    CancellationReason,
    MessageEvent,
    MessageReason,
    ParticipationStatus,
    SlotStatus,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, same_system
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.profiles import Definition, uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_entries
from bookings.models import Booking, BookingDraft

_TAKEN_BACK = frozenset({AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR})
_STANDS = frozenset(
    {
        AppointmentStatus.BOOKED,
        AppointmentStatus.ARRIVED,
        AppointmentStatus.CHECKED_IN,
        AppointmentStatus.FULFILLED,
        AppointmentStatus.NO_SHOW,
    }
)
# What a booking message carries along with its Slot, Schedule and HealthcareService.
_CARRIED = frozenset({"Practitioner", "PractitionerRole", "Location"})


def booking_entries(
    draft: BookingDraft,
    *,
    booking_id: UUID,
    patient: PatientDetails,
    parties: Parties,
    based_on: str | None,
    now: datetime,
) -> tuple[Resource, list[Entry]]:
    """The Appointment, and every other entry of a new booking but the header.

    `based_on`: the receiver's id of the ServiceRequest that came first.
    """
    taken = [(url, _stamped(each, now)) for url, each in _taken(draft, booking_id, parties.service)]
    slot_url = next(url for url, each in taken if each["resourceType"] == "Slot")
    appointment = new_appointment(
        use_case=UseCase(draft.use_case),
        start=draft.start,
        end=draft.end,
        slot_url=slot_url,
        patient_url=patient_url(booking_id),
        now=now,
        based_on=based_on,
    )
    included = [
        *patient_entries(
            patient,
            url=patient_url(booking_id),
            practice_url=_practice_url(booking_id),
            now=now,
        ),
        *taken,
        (_receiver_url(booking_id), parties.receiver),
        (_sender_url(booking_id), parties.sender),
    ]
    return appointment, included


def new_appointment(
    *,
    use_case: UseCase,
    start: datetime,
    end: datetime,
    slot_url: str,
    patient_url: str,
    now: datetime,
    based_on: str | None = None,
) -> Resource:
    """What a sender asks for, at the very moments of the slot."""
    basis = {"basedOn": [{"reference": f"ServiceRequest/{based_on}"}]} if based_on else {}
    return {
        "resourceType": "Appointment",
        "meta": _meta(now),
        "status": AppointmentStatus.BOOKED.value,
        "serviceCategory": [{"coding": [use_case.coding]}],
        "description": f"Booking {use_case.display}",
        "start": format_instant(start),
        "end": format_instant(end),
        "slot": [{"reference": slot_url}],
        "created": format_instant(now),
        **basis,
        "participant": [_patient_participant(patient_url)],
    }


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


def booking_message(
    definition: Definition,
    *,
    booking_id: UUID,
    bundle_id: UUID,
    appointment: Resource,
    included: Sequence[Sequence[Any]],
    header: HeaderFacts,
    now: datetime,
) -> dict[str, Any]:
    """booking-request. New: all that `booking_entries` gave; cancelled: the patient and their practice, and
    both organisations.
    """
    entries, reason = [(url, resource) for url, resource in included], MessageReason.NEW
    if definition is Definition.BOOKING_REQUEST_CANCELLED:
        urls = (patient_url, _practice_url, _receiver_url, _sender_url)
        wanted = [url(booking_id) for url in urls]
        entries, reason = [entry for entry in entries if entry[0] in wanted], MessageReason.UPDATE
    return new_message(
        bundle_id=bundle_id,
        now=now,
        event=MessageEvent.BOOKING_REQUEST,
        reason=reason,
        definition=definition,
        facts=header,
        receiver_url=_receiver_url(booking_id),
        sender_url=_sender_url(booking_id),
        focus_url=full_url(booking_id),
        entries=[(full_url(booking_id), appointment), *entries],
    )


def asked_for(booking: Booking) -> Told:
    """A booking that we sent as it was asked for, whatever the service has made of it since."""
    slot_url = next((url for url, each in booking.included if each["resourceType"] == "Slot"), "")
    appointment = {
        "resourceType": "Appointment",
        "start": format_instant(booking.start),
        "end": format_instant(booking.end),
        "slot": [{"reference": slot_url}],
        "participant": [_patient_participant(patient_url(booking.pk))],
    }
    entries = [(full_url(booking.pk), appointment), *booking.included]
    bundle = MessageBundle({"entry": [{"fullUrl": url, "resource": each} for url, each in entries]})
    return Told(bundle, appointment)


def is_taken_back(appointment: Resource) -> bool:
    return as_text(appointment.get("status")) in _TAKEN_BACK


def stands(appointment: Resource) -> bool:
    """Booked, whatever came of it since; pending or proposed is not booked."""
    return as_text(appointment.get("status")) in _STANDS


def reference_of(appointment: Resource) -> str:
    """The receiver's human-readable reference: the first Appointment.identifier; "" when there is none."""
    values = (as_text(each.get("value")) for each in dicts(appointment.get("identifier")))
    return next((each for each in values if each), "")


def patient_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "patient")


def _receiver_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "receiver")


def _sender_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "sender")


def _practice_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "practice")


def _taken(draft: BookingDraft, booking_id: UUID, own_service: Resource) -> list[Entry]:
    """The chosen Slot as taken, with exactly one Schedule and one HealthcareService, whatever was offered."""
    offered = {resource["resourceType"]: (url, resource) for url, resource in reversed(draft.slot_resources)}
    service_url, service = offered.get("HealthcareService", (derived_url(booking_id, "service"), own_service))
    schedule_url, schedule = offered.get("Schedule", (derived_url(booking_id, "schedule"), {}))
    slot_url, slot = offered.get("Slot", (derived_url(booking_id, "slot"), {}))
    times = {"start": format_instant(draft.start), "end": format_instant(draft.end)}
    return [
        (
            slot_url,
            {
                **times,
                **slot,
                "resourceType": "Slot",
                "schedule": {"reference": schedule_url},
                "status": SlotStatus.BUSY.value,
            },
        ),
        (schedule_url, _schedule(schedule, service_url)),
        (service_url, _named_service(service, own_service)),
        *((url, each) for url, each in draft.slot_resources if each["resourceType"] in _CARRIED),
    ]


def _stamped(resource: Resource, now: datetime) -> Resource:
    """Everything in a new message is of one moment, whenever the receiver last changed it."""
    meta = {"profile": [uk_core(resource["resourceType"])], **as_dict(resource.get("meta"))}
    return {**resource, "meta": {**meta, "lastUpdated": format_instant(now)}}


def _schedule(schedule: Resource, service_url: str) -> Resource:
    """Schedule.actor is required, so where the receiver named nobody it is the service."""
    actors = schedule.get("actor") or [{"reference": service_url}]
    return {**schedule, "resourceType": "Schedule", "actor": actors}


def _named_service(service: Resource, own: Resource) -> Resource:
    """The receiver's HealthcareService with its DoS id, which some leave out."""
    identifiers = list(dicts(service.get("identifier")))
    if any(same_system(as_text(each.get("system")), SERVICE_ID_SYSTEM) for each in identifiers):
        return service
    return {**service, "identifier": [*own["identifier"], *identifiers]}


def _meta(now: datetime) -> Resource:
    return {"lastUpdated": format_instant(now), "profile": [uk_core("Appointment")]}


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
