"""Reading an appointment back from the service that holds it (standard section 8: before a cancel)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.audit.services import record
from bars_portal.correspondence.entries import clean
from bars_portal.correspondence.latest import patient_params
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.transport.client import BarsClient
from bookings import mapping
from bookings.latest import LatestAppointment, LatestState
from bookings.models import Booking
from directory.remote import Missing, Params, SenderIdentity, Unreachable, ask
from directory.services.entries import record_contact, record_no_contact

__all__ = ["LatestAppointment", "LatestState", "read_latest"]

_OVER = frozenset(
    {
        AppointmentStatus.CANCELLED,
        AppointmentStatus.ENTERED_IN_ERROR,
        AppointmentStatus.NO_SHOW,
        AppointmentStatus.FULFILLED,
    }
)


def read_latest(
    client: BarsClient, *, booking: Booking, sender: SenderIdentity, now: datetime
) -> LatestAppointment:
    """The receiver's current version of a booking that we sent, compared with ours; recorded.

    Call it outside any transaction. Without the receiver's id it is searched by patient and told by its
    time.
    """
    try:
        resource = _read(client, booking, sender) if booking.remote_id else _search(client, booking, sender)
        latest = LatestAppointment(_state(resource, booking), clean(resource))
    except Missing:
        latest = LatestAppointment(LatestState.MISSING)
    except Unreachable:
        latest = LatestAppointment(LatestState.UNREACHABLE)
    _note(booking, sender, latest, now)
    return latest


def _state(resource: Resource, booking: Booking) -> LatestState:
    if as_text(resource.get("status")) in _OVER:
        return LatestState.OVER
    same = mapping.read_times(resource) == (booking.start, booking.end)
    return LatestState.CURRENT if same else LatestState.CHANGED


def _read(client: BarsClient, booking: Booking, sender: SenderIdentity) -> Resource:
    return _ask(client, booking, sender, f"/Appointment/{booking.remote_id}", [], "Appointment")


def _search(client: BarsClient, booking: Booking, sender: SenderIdentity) -> Resource:
    params = patient_params(booking.patient)
    found = MessageBundle.from_dict(_ask(client, booking, sender, "/Appointment", params, "Bundle:searchset"))
    matching = [each for each in found.of_type("Appointment") if _is_ours(found, each, booking)]
    if not matching:
        raise Missing
    # A time may have been booked, cancelled and booked again: the one that stands counts.
    return min(matching, key=lambda each: as_text(each.get("status")) in _OVER)


def _is_ours(bundle: MessageBundle, appointment: Resource, booking: Booking) -> bool:
    """By the slot where the answer names it, else by the times."""
    reference = next(dicts(appointment.get("slot")), {})
    slot = bundle.resolve(reference) or {}
    named = as_text(slot.get("id")) or _slot_id(as_text(reference.get("reference")))
    if named:
        return named == booking.remote_slot_id
    return mapping.read_times(appointment) == (booking.start, booking.end)


def _slot_id(reference: str) -> str:
    return reference.removeprefix("Slot/") if reference.startswith("Slot/") else ""


def _ask(
    client: BarsClient, booking: Booking, sender: SenderIdentity, path: str, params: Params, expected: str
) -> dict[str, Any]:
    """Raises Missing and Unreachable."""
    return ask(
        client,
        sender=sender,
        service_id=booking.service.service_id,
        correlation_id=booking.journey.correlation_id,
        path=path,
        params=params,
        expected=expected,
    )


@transaction.atomic
def _note(booking: Booking, sender: SenderIdentity, latest: LatestAppointment, now: datetime) -> None:
    reached = latest.state is not LatestState.UNREACHABLE
    if reached:
        record_contact(service_id=booking.service.service_id, now=now)
    else:
        record_no_contact(service_id=booking.service.service_id, now=now)
    record(
        actor=sender.actor,
        action="bookings.read_latest",
        subject=booking,
        outcome="done" if reached else "failed",
        detail={"state": latest.state.value},
        correlation_id=booking.journey.correlation_id,
        now=now,
    )
