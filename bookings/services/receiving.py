"""A booking that reaches us: taking the slot and writing it down, inside the message's transaction."""

from datetime import datetime
from uuid import UUID

from bars_portal.correspondence.entries import Entry
from bars_portal.correspondence.envelope import new_reference
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import reply
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.patients.services import create_patient, open_journey
from bars_portal.sql import insert
from bookings import mapping
from bookings.mapping import ReceivedBooking
from bookings.models import Booking, Slot, SlotStatus
from bookings.services.status import start_history
from bookings.states import BookingEvent, BookingStatus
from directory.models import HealthcareService
from directory.selectors.services import receiving_service

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
        is_surely_new=context.is_new_conversation,
        now=now,
    )
    patient = create_patient(details=received.patient, organisation=organisation, journey=journey, now=now)
    booking = Booking(
        direction=Direction.RECEIVED,
        status=BookingStatus.BOOKED,
        organisation=organisation,
        service=service,
        patient=patient,
        journey=journey,
        use_case=received.use_case,
        description=received.description,
        start=received.start,
        end=received.end,
        slot_id=slot_id,
        source_service_id=context.source.value if context.source else "",
        sender_ods_code=context.sender_ods_code,
        sender_name=context.sender_name[:200],
        sender_full_url=received.url[:200],
        message_id=context.inbound_id,
        created_at=now,
        updated_at=now,
    )
    _insert(booking, received, now)
    start_history(booking=booking, event=BookingEvent.RECEIVE, actor=context.actor, now=now)
    return booking


def taken_slot(received: ReceivedBooking) -> list[Entry]:
    """The Slot of the answer: our id, busy; none when the message only named it."""
    if received.slot is None:
        return []
    slot = {**received.slot, "id": str(received.slot_id), "status": SlotStatus.BUSY.value}
    return [(received.bundle.full_url_of(received.slot), slot)]


def _take_slot(received: ReceivedBooking, service: HealthcareService, now: datetime) -> UUID:
    """One conditional UPDATE: whoever changes the row has the slot, everybody else finds it gone."""
    slot_id = received.slot_id
    if slot_id is None:
        raise fault(OutcomeCode.REQUIRED, "Slot.id is missing: it says which slot is booked", _SLOT)
    taken = Slot.objects.filter(
        pk=slot_id,
        service=service,
        status=SlotStatus.FREE,
        start=received.start,
        end=received.end,
        end__gt=now,
    ).update(status=SlotStatus.BUSY, updated_at=now)
    if not taken:
        raise _why_not(slot_id, received, service, now)
    return slot_id


def _why_not(
    slot_id: UUID, received: ReceivedBooking, service: HealthcareService, now: datetime
) -> OutcomeError:
    """404: no such slot, trying again cannot help; 422: it contradicts our diary; 409: somebody was first."""
    slot = Slot.objects.filter(pk=slot_id, service=service).first()
    if slot is None:
        return fault(OutcomeCode.NOT_FOUND, "Slot.id is not a slot of this service", f"{_SLOT}.id")
    if (slot.start, slot.end) != (received.start, received.end):
        words = "Appointment.start and Appointment.end are not those of the slot"
        return fault(OutcomeCode.UNPROCESSABLE, words, "Bundle.entry.resource.ofType(Appointment).start")
    if slot.end <= now:
        return fault(OutcomeCode.UNPROCESSABLE, "The slot is in the past", f"{_SLOT}.start")
    return fault(OutcomeCode.CONFLICT, "The slot is not free", f"{_SLOT}.status")


def _insert(booking: Booking, received: ReceivedBooking, now: datetime) -> None:
    """With a reference that nobody else has: when it is taken, the message is applied again."""
    booking.reference = new_reference(booking.organisation.name)
    _set_resources(booking, received, now)
    insert(booking)


def _set_resources(booking: Booking, received: ReceivedBooking, now: datetime) -> None:
    """What a read gives back: everything that was sent, with the ids of our answer."""
    booking.resource = mapping.accepted_appointment(
        received.appointment, booking_id=booking.id, reference=booking.reference, now=now
    )
    answered = reply(received.bundle, now=now, focus=booking.resource, included=taken_slot(received))
    booking.included = [
        [entry["fullUrl"], entry["resource"]]
        for entry in answered["entry"]
        if entry["fullUrl"] != received.url and entry["resource"]["resourceType"] != "MessageHeader"
    ]
