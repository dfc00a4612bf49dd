"""Bookings that reach us, and that their senders take back, inside the message's transaction."""

from datetime import datetime
from uuid import UUID

from bars_portal.correspondence.entries import Entry
from bars_portal.correspondence.envelope import new_reference
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource, reply
from bars_portal.exchange.fhir.json import as_dict, dicts, version_in
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.rules.contents import names_patient
from bars_portal.exchange.fhir.timestamps import borne_out
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.registry import MessageContext
from bars_portal.patients.details import may_be_person
from bars_portal.patients.services import create_patient, open_journey
from bars_portal.sql import ask
from bookings.mapping.received import (
    ReceivedBooking,
    accepted_appointment,
    ended_appointment,
    parse_booking,
)
from bookings.models import Booking, Slot, SlotStatus
from bookings.models.diary import BOOKABLE
from bookings.selectors.received import received_booking_by_wire
from bookings.services.diaries import release_slot
from bookings.services.history import change_status, start_history
from bookings.states import BookingEvent, BookingStatus
from directory.models import HealthcareService
from directory.selectors.services import receiving_service

FULL_URL_LENGTH = 200
_APPOINTMENT = "Bundle.entry.resource.ofType(Appointment)"
_SLOT = "Bundle.entry.resource.ofType(Slot)"


def receive_booking(*, received: ReceivedBooking, context: MessageContext) -> Booking:
    """Take the slot and write the booking. Raises OutcomeError: 404, 409 conflict or 422 (see `_why_not`)."""
    now = context.received_at
    service = receiving_service(context.service)
    slot_id = _take_slot(received, service, now)
    organisation = service.provider
    journey = open_journey(
        organisation=organisation,
        correlation_id=context.correlation_id,
        now=now,
        is_surely_new=context.is_new_conversation,
    )
    patient = create_patient(
        details=received.patient,
        organisation=organisation,
        journey=journey,
        now=now,
        declared_by=context.actor,
        by_message=True,
    )
    booking = Booking(
        direction=Direction.RECEIVED,
        status=BookingStatus.BOOKED,
        organisation=organisation,
        service=service,
        patient=patient,
        journey=journey,
        **received.columns,
        slot_id=slot_id,
        source_service_id=context.source.value if context.source else "",
        sender_ods_code=context.sender_ods_code,
        sender_name=context.sender_name[:200],
        sender_full_url=received.url[:FULL_URL_LENGTH],
        # When somebody else has it, the message is applied again.
        reference=new_reference(organisation.name),
        message_id=context.inbound_id,
        created_at=now,
        updated_at=now,
    )
    _set_resources(booking, received, now)
    start_history(booking=booking, event=BookingEvent.RECEIVE, actor=context.actor, now=now)
    return booking


def taken_slot(received: ReceivedBooking) -> list[Entry]:
    """The Slot of the answer: our id, busy; none when the message only named it."""
    if received.slot is None:
        return []
    slot = {**received.slot, "id": str(received.slot_id), "status": SlotStatus.BUSY.value}
    return [(received.bundle.full_url_of(received.slot), slot)]


# The conditions of BOOKABLE are looked at by the very statement that takes the slot.
_TAKE = f"""
UPDATE bookings_slot AS slot SET status = 'busy', updated_at = %s
WHERE slot.id = %s AND slot.service_id = %s AND slot.start = %s AND slot."end" = %s AND {BOOKABLE}
RETURNING slot.id
"""  # noqa: S608 - the condition is ours, every value is a parameter


def take_slot(slot_id: UUID, *, service_id: UUID, start: datetime, end: datetime, now: datetime) -> bool:
    """One conditional UPDATE: whoever changes the row has the slot, everybody else finds it gone."""
    return bool(ask(_TAKE, now, slot_id, service_id, start, end, now, now))


def _take_slot(received: ReceivedBooking, service: HealthcareService, now: datetime) -> UUID:
    slot_id = received.slot_id
    if slot_id is None:
        raise fault(OutcomeCode.REQUIRED, "Slot.id is missing: it says which slot is booked", _SLOT)
    if not take_slot(slot_id, service_id=service.pk, start=received.start, end=received.end, now=now):
        raise _why_not(slot_id, received, service, now)
    return slot_id


def _why_not(
    slot_id: UUID, received: ReceivedBooking, service: HealthcareService, now: datetime
) -> OutcomeError:
    """404: no such slot, trying again cannot help; 422: it contradicts our diary; 409: not to be had now.

    One that is over counts among the last (standard section 6): whoever was a minute late chooses another.
    """
    slot = Slot.objects.filter(pk=slot_id, service=service).first()
    if slot is None:
        return fault(OutcomeCode.NOT_FOUND, "Slot.id is not a slot of this service", f"{_SLOT}.id")
    if (slot.start, slot.end) != (received.start, received.end):
        words = "Appointment.start and Appointment.end are not those of the slot"
        return fault(OutcomeCode.UNPROCESSABLE, words, f"{_APPOINTMENT}.start")
    if slot.end <= now:
        return fault(OutcomeCode.CONFLICT, "The slot is over", f"{_SLOT}.end")
    words = "The slot is not free" if slot.status != SlotStatus.FREE else "The slot is not offered now"
    return fault(OutcomeCode.CONFLICT, words, f"{_SLOT}.status")


def _set_resources(booking: Booking, received: ReceivedBooking, now: datetime) -> None:
    """What a read gives back: everything that was sent, with the ids of our answer."""
    booking.resource = accepted_appointment(
        received.appointment, booking_id=booking.id, reference=booking.reference, now=now
    )
    answered = reply(received.bundle, now=now, focus=booking.resource, included=taken_slot(received))
    booking.included = [
        [entry["fullUrl"], entry["resource"]]
        for entry in answered["entry"]
        if entry["fullUrl"] != received.url and entry["resource"]["resourceType"] != "MessageHeader"
    ]


def receive_end(*, received: ReceivedBooking, event: BookingEvent, context: MessageContext) -> Resource:
    """Take back a booking and free its slot. Gives the Appointment of the answer.

    Raises OutcomeError: 404 unknown, 401 not theirs, 409 stale, 422 over already or not as booked.
    """
    now = context.received_at
    booking = _known(received, context)
    _check_theirs(booking, context)
    _check_as_booked(booking, received)
    version = booking.version + 1
    ended = ended_appointment(booking.resource, received.appointment, version=version, now=now)
    changes = {"resource": ended, "version": version, "message_id": context.inbound_id}
    try:
        change_status(booking=booking, event=event, actor=context.actor, now=now, changes=changes)
    except TransitionRefused:
        raise fault(
            OutcomeCode.CONFLICT, "The appointment was changed at the same moment", _APPOINTMENT
        ) from None
    release_slot(slot_id=booking.slot_id, now=now)
    answer = {key: ended[key] for key in ("id", "meta", "identifier")}
    return {**received.appointment, **answer}


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
    same = may_be_person(booking.patient, received.patient)
    if not (same and _names_who_was_booked(booking, received)):
        words = "Appointment.participant is not the patient who was booked"
        raise fault(OutcomeCode.UNPROCESSABLE, words, f"{_APPOINTMENT}.participant")
    if _is_stale(booking, received):
        raise fault(
            OutcomeCode.CONFLICT, "Appointment.meta.lastUpdated is older than what we hold", _APPOINTMENT
        )


def _names_who_was_booked(booking: Booking, received: ReceivedBooking) -> bool:
    """Each actor is the Patient of the message, or the very reference that was booked (section 12)."""
    named, booked = _actors(received.appointment), _actors(booking.resource)
    return all(names_patient(received.bundle, each) or each in booked for each in named)


def _actors(appointment: Resource) -> list[Resource]:
    return [actor for each in dicts(appointment.get("participant")) if (actor := as_dict(each.get("actor")))]


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


def _is_stale(booking: Booking, received: ReceivedBooking) -> bool:
    """Who works from our version has the newest; else the sender's own stamps are compared.

    Not with ours: official messages carry stamps of years ago, and two clocks say little about each other.
    """
    sent, held = received.appointment, booking.message
    if received.appointment_id == booking.pk and version_in(sent) == booking.version:
        return False
    if received.last_updated is None or held is None:
        return False
    before = parse_booking(MessageBundle(decode(held.body)), now=held.received_at).last_updated
    return before is not None and received.last_updated < borne_out(before, held.received_at)
