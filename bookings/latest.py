"""An appointment as its receiver holds it right now, compared with what we hold (standard section 8)."""

from dataclasses import replace
from datetime import datetime

from bars_portal.correspondence.entries import full_url
from bars_portal.correspondence.latest import Latest, LatestState, Reader
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus
from bars_portal.exchange.fhir.json import as_text, dicts, id_in
from bars_portal.exchange.fhir.replies import is_another, patients_of, times_of
from bars_portal.exchange.registry import ReadBack
from bars_portal.exchange.transport.client import BarsClient
from bookings.mapping.sent import is_taken_back, patient_url, stands
from bookings.models import Booking
from directory.remote import Missing, SenderIdentity

_OVER = frozenset(
    {
        AppointmentStatus.CANCELLED,
        AppointmentStatus.ENTERED_IN_ERROR,
        AppointmentStatus.NO_SHOW,
        AppointmentStatus.FULFILLED,
    }
)
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


def read_latest(client: BarsClient, *, booking: Booking, sender: SenderIdentity, now: datetime) -> Latest:
    """The receiver's current version of a booking that we sent, compared with ours; recorded.

    Call it outside any transaction. Without the receiver's id it is searched by patient and told by its
    time.
    """
    return _READER.read(client, booking, sender=sender, now=now)


def read_back_new(booking_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
    """Whether the receiver holds what we asked it to book, asked as whoever sent it."""
    latest = _read_back(booking_id, client, now)
    if latest is None:
        return ReadBack()
    if latest.state is LatestState.MISSING:
        return ReadBack(was_applied=False)
    # Pending is neither booked nor refused.
    held = latest.resource
    return ReadBack(was_applied=True, found=held) if stands(held) or is_taken_back(held) else ReadBack()


def read_back_cancel(booking_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
    """Whether the receiver has cancelled it. What it does not show at all may be cancelled, or not."""
    latest = _read_back(booking_id, client, now)
    if latest is None or latest.state is LatestState.MISSING:
        return ReadBack()
    if is_taken_back(latest.resource):
        return ReadBack(was_applied=True, found=latest.resource)
    return ReadBack(was_applied=False) if stands(latest.resource) else ReadBack()


def _read_back(booking_id: str, client: BarsClient, now: datetime) -> Latest | None:
    booking = Booking.objects.select_related("service", "journey", "patient").get(pk=booking_id)
    return _ONLY_THIS.read_back(client, booking, now=now)


def _ours(found: MessageBundle, booking: Booking) -> Resource:
    appointments = found.of_type("Appointment")
    named = [each for each in appointments if found.full_url_of(each) == full_url(booking.pk)]
    matching = named or [each for each in appointments if _is_ours(found, each, booking)]
    if not matching:
        raise Missing
    # A time may have been booked, cancelled and booked again: the one that stands counts.
    return min(matching, key=lambda each: as_text(each.get("status")) in _OVER)


def _is_ours(found: MessageBundle, appointment: Resource, booking: Booking) -> bool:
    """By the slot where the answer names it, else by the times."""
    reference = next(dicts(appointment.get("slot")), {})
    slot = found.resolve(reference) or {}
    named = as_text(slot.get("id")) or id_in(reference, "Slot")
    return named == booking.remote_slot_id if named else _is_current(appointment, booking)


def _is_current(appointment: Resource, booking: Booking) -> bool:
    return times_of(appointment) == (booking.start, booking.end)


def _ours_alone(found: MessageBundle, booking: Booking) -> Resource:
    """Another booking of ours, or another person's, proves nothing. Raises Missing."""
    others = Booking.objects.filter(service=booking.service, direction=Direction.SENT).exclude(pk=booking.pk)
    ids = {as_text(each.get("id")) for each in found.of_type("Appointment")} - {""}
    known = set(others.filter(remote_id__in=ids).values_list("remote_id", flat=True))
    booked = dict(booking.included).get(patient_url(booking.pk), {})

    def may_be_ours(resource: Resource) -> bool:
        if resource["resourceType"] != "Appointment":
            return True
        people = patients_of(found, resource)
        return as_text(resource.get("id")) not in known and not any(is_another(booked, one) for one in people)

    kept = [{"fullUrl": url, "resource": each} for url, each in found.entries if may_be_ours(each)]
    return _ours(MessageBundle({"entry": kept}), booking)


_READER = Reader[Booking](
    resource_type="Appointment",
    action="bookings.read_latest",
    over=_OVER,
    sentences=_SENTENCES,
    ours=_ours,
    is_current=_is_current,
)
_ONLY_THIS = replace(_READER, ours=_ours_alone)
