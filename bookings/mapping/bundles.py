"""Our booking messages, exactly what their MessageDefinitions ask for (messages.md section 5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import Entry, HeaderFacts, Parties, derived_url, full_url
from bars_portal.exchange.fhir.bundle import Resource, new_message
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, SlotStatus, UseCase
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, same_system
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_to_fhir
from bookings.mapping.appointments import new_appointment


def patient_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "patient")


def booking_entries(
    *,
    booking_id: UUID,
    use_case: UseCase,
    start: datetime,
    end: datetime,
    slot_resources: Sequence[Sequence[Any]],
    patient: PatientDetails,
    parties: Parties,
    now: datetime,
    based_on: str | None = None,
) -> tuple[Resource, list[Entry]]:
    """The Appointment, and every other entry of a new booking but the header.

    `based_on`: the receiver's id of the ServiceRequest that came first.
    """
    taken = _taken(booking_id, slot_resources, parties.service, start, end)
    slot_url, slot = next(each for each in taken if each[1]["resourceType"] == "Slot")
    appointment = new_appointment(
        use_case=use_case,
        start=slot["start"],
        end=slot["end"],
        slot_url=slot_url,
        patient_url=patient_url(booking_id),
        now=now,
        based_on=based_on,
    )
    included = [
        (patient_url(booking_id), patient_to_fhir(patient, now=now)),
        *taken,
        (_receiver_url(booking_id), parties.receiver),
        (_sender_url(booking_id), parties.sender),
    ]
    return appointment, included


def booking_message(
    *,
    booking_id: UUID,
    bundle_id: UUID,
    appointment: Resource,
    included: Sequence[Sequence[Any]],
    header: HeaderFacts,
    now: datetime,
) -> dict[str, Any]:
    """booking-request, reason new: all that `booking_entries` gave."""
    entries = [(url, resource) for url, resource in included]
    return _message(
        booking_id,
        bundle_id,
        Definition.BOOKING_REQUEST,
        MessageReason.NEW,
        appointment,
        entries,
        header,
        now,
    )


def cancel_message(
    *,
    booking_id: UUID,
    bundle_id: UUID,
    appointment: Resource,
    included: Sequence[Sequence[Any]],
    header: HeaderFacts,
    now: datetime,
) -> dict[str, Any]:
    """booking-request, reason update: the cancelled Appointment, its patient and both organisations."""
    wanted = (patient_url(booking_id), _receiver_url(booking_id), _sender_url(booking_id))
    entries = [(url, resource) for url, resource in included if url in wanted]
    definition, reason = Definition.BOOKING_REQUEST_CANCELLED, MessageReason.UPDATE
    return _message(booking_id, bundle_id, definition, reason, appointment, entries, header, now)


def _message(
    booking_id: UUID,
    bundle_id: UUID,
    definition: Definition,
    reason: MessageReason,
    appointment: Resource,
    entries: list[Entry],
    header: HeaderFacts,
    now: datetime,
) -> dict[str, Any]:
    return new_message(
        bundle_id=bundle_id,
        now=now,
        event=MessageEvent.BOOKING_REQUEST,
        reason=reason,
        definition=definition,
        destination=header.destination,
        source=header.source,
        source_name=header.source_name,
        software=header.software,
        version=header.version,
        receiver_url=_receiver_url(booking_id),
        sender_url=_sender_url(booking_id),
        focus_url=full_url(booking_id),
        entries=[(full_url(booking_id), appointment), *entries],
    )


def _taken(
    booking_id: UUID,
    slot_resources: Sequence[Sequence[Any]],
    own_service: Resource,
    start: datetime,
    end: datetime,
) -> list[Entry]:
    """The chosen Slot as taken, with exactly one Schedule and one HealthcareService, whatever was offered."""
    offered = {resource["resourceType"]: (url, resource) for url, resource in reversed(slot_resources)}
    service_url, service = offered.get("HealthcareService", (derived_url(booking_id, "service"), own_service))
    schedule_url, schedule = offered.get("Schedule", (derived_url(booking_id, "schedule"), {}))
    slot_url, slot = offered.get("Slot", (derived_url(booking_id, "slot"), {}))
    times = {"start": format_london(start), "end": format_london(end)}
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
        *((url, each) for url, each in slot_resources if each["resourceType"] in _CARRIED),
    ]


_CARRIED = frozenset({"Practitioner", "PractitionerRole", "Location"})


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


def _receiver_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "receiver")


def _sender_url(booking_id: UUID) -> str:
    return derived_url(booking_id, "sender")
