"""A booking that its sender takes back: found, checked, ended, its slot freed, in one transaction."""

from datetime import datetime

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.message_bytes import decode
from bookings import mapping
from bookings.mapping import ReceivedBooking
from bookings.models import Booking, Slot, SlotStatus
from bookings.selectors.received import received_booking_by_wire
from bookings.services.status import TransitionRefused, change_status
from bookings.states import BookingEvent, BookingStatus

FULL_URL_LENGTH = 200
_APPOINTMENT = "Bundle.entry.resource.ofType(Appointment)"


def receive_end(
    *, received: ReceivedBooking, event: BookingEvent, context: MessageContext
) -> tuple[Booking, Resource]:
    """Take back a booking and free its slot. Gives it with the Appointment of the answer.

    Raises OutcomeError: 404 unknown, 401 not theirs, 409 stale, 422 over already or not as booked.
    """
    now = context.received_at
    booking = _known(received, context)
    _check_theirs(booking, context)
    _check_as_booked(booking, received)
    version = booking.version + 1
    ended = mapping.ended_appointment(booking.resource, received.appointment, version=version, now=now)
    changes = {"resource": ended, "version": version, "message_id": context.inbound_id}
    try:
        change_status(booking=booking, event=event, actor=context.actor, now=now, changes=changes)
    except TransitionRefused:
        raise fault(
            OutcomeCode.CONFLICT, "The appointment was changed at the same moment", _APPOINTMENT
        ) from None
    Slot.objects.filter(bookings=booking, status=SlotStatus.BUSY).update(
        status=SlotStatus.FREE, updated_at=now
    )
    answer = {key: ended[key] for key in ("id", "meta", "identifier")}
    return booking, {**received.appointment, **answer}


def _check_theirs(booking: Booking, context: MessageContext) -> None:
    """Only who booked may take it back: the same source service, or the same organisation.

    401, not 403: the proxy replaces what a 403 says.
    """
    source = context.source.value if context.source else ""
    same_service = bool(source) and source == booking.source_service_id
    same_organisation = bool(context.sender_ods_code) and context.sender_ods_code == booking.sender_ods_code
    nameless = not (source or context.sender_ods_code or booking.source_service_id or booking.sender_ods_code)
    if not (same_service or same_organisation or nameless):
        raise fault(OutcomeCode.NOT_PERMITTED, "The appointment was booked by another organisation")


def _check_as_booked(booking: Booking, received: ReceivedBooking) -> None:
    if booking.status != BookingStatus.BOOKED:
        raise fault(
            OutcomeCode.UNPROCESSABLE, "The appointment is over: it was taken back already", _APPOINTMENT
        )
    if (booking.start, booking.end) != (received.start, received.end):
        raise fault(
            OutcomeCode.UNPROCESSABLE, "Appointment.start or Appointment.end is not as booked", _APPOINTMENT
        )
    if not _same_person(booking, received):
        words = "Appointment.participant is not the patient who was booked"
        raise fault(OutcomeCode.UNPROCESSABLE, words, f"{_APPOINTMENT}.participant")
    # Against the sender's own last stamp, not ours: official messages carry stamps of years ago, and a stamp
    # is only comparable with one of the same clock.
    before = _last_stamp(booking)
    if before is not None and received.last_updated is not None and received.last_updated < before:
        raise fault(
            OutcomeCode.CONFLICT, "Appointment.meta.lastUpdated is older than what we hold", _APPOINTMENT
        )


def _same_person(booking: Booking, received: ReceivedBooking) -> bool:
    """What both sides know must agree; what one leaves out proves nothing."""
    held, said = booking.patient, received.patient
    if held.nhs_number and said.nhs_number:
        return held.nhs_number == said.nhs_number
    names = {each.casefold() for each in (held.family_name, said.family_name) if each}
    births = {each for each in (held.birth_date, said.birth_date) if each}
    return len(names) <= 1 and len(births) <= 1


def _known(received: ReceivedBooking, context: MessageContext) -> Booking:
    ids = [each for each in (received.appointment_id, received.url_id) if each is not None]
    found = received_booking_by_wire(
        service_id=context.service.service_id,
        ids=ids,
        full_url=received.url[:FULL_URL_LENGTH],
        start=received.start,
        end=received.end,
        source=context.source,
    )
    if found is None:
        raise fault(OutcomeCode.NOT_FOUND, "There is no such appointment at this service", _APPOINTMENT)
    return found


def _last_stamp(booking: Booking) -> datetime | None:
    """Appointment.meta.lastUpdated as the sender last wrote it, read from the message itself."""
    if booking.message is None:
        return None
    raw = decode(booking.message.body)
    return mapping.parse_booking(MessageBundle.from_dict(raw)).last_updated
