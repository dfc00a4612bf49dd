"""Bookings that we sent: what their messages need, and how their receiver holds them right now."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models, transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.entries import HeaderFacts, clean
from bars_portal.correspondence.envelope import header_to
from bars_portal.correspondence.latest import patient_params
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.registry import Addressing
from bars_portal.exchange.transport.client import BarsClient
from bookings.mapping.appointments import read_times
from bookings.models import Booking
from directory.remote import Missing, Params, SenderIdentity, Unreachable, ask, identity_of
from directory.services.entries import record_contact, record_no_contact


class LatestState(StrEnum):
    """`sentence` is for the person who wants to cancel or rebook."""

    CURRENT = "current"
    CHANGED = "changed"
    OVER = "over"
    MISSING = "missing"
    UNREACHABLE = "unreachable"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    LatestState.CURRENT: "The service confirms this appointment as it is shown here.",
    LatestState.CHANGED: (
        "The service has changed this appointment since it was booked. Read the new details before you go on."
    ),
    LatestState.OVER: "The service says that this appointment is over or already cancelled.",
    LatestState.MISSING: "The service has no such appointment. Call the service before you do anything else.",
    LatestState.UNREACHABLE: (
        "The service did not show us the appointment, so nothing was changed. Try again, or call the service."
    ),
}


@dataclass(frozen=True)
class LatestAppointment:
    """`resource` is the receiver's Appointment, {} when missing or unreachable."""

    state: LatestState
    resource: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sentence(self) -> str:
        return self.state.sentence

    @property
    def status(self) -> str:
        """Appointment.status, "" when not known."""
        return str(self.resource.get("status", ""))

    @property
    def can_be_cancelled(self) -> bool:
        return self.state in (LatestState.CURRENT, LatestState.CHANGED)


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
    same = read_times(resource) == (booking.start, booking.end)
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
    return read_times(appointment) == (booking.start, booking.end)


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


# use-context has a category; a booking has none of ServiceRequest's.
CATEGORY = "booking"


def as_booking(subject: models.Model) -> Booking:
    if not isinstance(subject, Booking):
        raise TypeError("A booking message is about a booking.")
    return subject


def where_to(booking: Booking) -> Addressing:
    return Addressing(
        service_id=ServiceID.parse(booking.service.service_id),
        correlation_id=booking.journey.correlation_id,
        use_case=UseCase(booking.use_case),
        category=CATEGORY,
    )


def header_facts(booking: Booking) -> HeaderFacts:
    return header_to(booking.service, booking.organisation)


def locked(booking_id: str) -> Booking:
    """The booking whose message is being settled; nobody else changes it meanwhile."""
    rows = Booking.objects.select_for_update(of=("self",))
    return rows.select_related("service", "journey", "patient", "organisation").get(pk=booking_id)


def find_sent(booking_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
    """After "duplicate": what the receiver holds, asked as whoever sent it. None when it cannot be read."""
    related = ("service", "journey", "patient")
    booking = Booking.objects.select_related(*related).get(pk=booking_id)
    message = outbox.latest_for(booking)
    if message is None:
        return None
    sender = identity_of(Actor(message.actor_label, message.actor_user_id, message.organisation_id))
    return read_latest(client, booking=booking, sender=sender, now=now).resource or None
