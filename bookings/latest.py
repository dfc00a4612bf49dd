"""An appointment as its receiver holds it right now, compared with what we hold (standard section 8)."""

from datetime import datetime

from bars_portal.correspondence.latest import Latest, LatestState, Reader
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.transport.client import BarsClient
from bookings.mapping.received import read_times
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


def find_sent(booking_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
    """After "duplicate": what the receiver holds, asked as whoever sent it. None when it cannot be read."""
    booking = Booking.objects.select_related("service", "journey", "patient").get(pk=booking_id)
    found = _READER.find_sent(client, booking, now=now)
    return found.resource if found is not None else None


def _ours(found: MessageBundle, booking: Booking) -> Resource:
    matching = [each for each in found.of_type("Appointment") if _is_ours(found, each, booking)]
    if not matching:
        raise Missing
    # A time may have been booked, cancelled and booked again: the one that stands counts.
    return min(matching, key=lambda each: as_text(each.get("status")) in _OVER)


def _is_ours(found: MessageBundle, appointment: Resource, booking: Booking) -> bool:
    """By the slot where the answer names it, else by the times."""
    reference = next(dicts(appointment.get("slot")), {})
    slot = found.resolve(reference) or {}
    kind, _, ident = as_text(reference.get("reference")).partition("/")
    named = as_text(slot.get("id")) or (ident if kind == "Slot" else "")
    return named == booking.remote_slot_id if named else _is_current(appointment, booking)


def _is_current(appointment: Resource, booking: Booking) -> bool:
    return read_times(appointment) == (booking.start, booking.end)


_READER = Reader[Booking](
    resource_type="Appointment",
    action="bookings.read_latest",
    over=_OVER,
    sentences=_SENTENCES,
    ours=_ours,
    is_current=_is_current,
)
