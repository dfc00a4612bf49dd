"""The messages about a booking: asked for, cancelled, entered in error (standard section 6)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus, MessageEvent, MessageReason
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.exchange.registry import Addressing, Applied, MessageType, Outcome, register_message
from bars_portal.exchange.transport.client import BarsClient
from bookings.mapping.appointments import ReceivedBooking, cancelled_appointment, parse_booking
from bookings.mapping.bundles import booking_message, cancel_message, patient_url
from bookings.sent import as_booking, find_sent, header_facts, locked, where_to
from bookings.services.receiving import receive_booking, receive_end, taken_slot
from bookings.services.settling import settle_booking, settle_cancel
from bookings.states import BookingEvent, BookingStatus


@register_message
class BookingNew(MessageType):
    key = "booking-new"
    label = "New booking"
    event = MessageEvent.BOOKING_REQUEST
    reasons = frozenset({MessageReason.NEW})
    focus_type = "Appointment"
    focus_statuses = frozenset({AppointmentStatus.BOOKED.value})
    definition = Definition.BOOKING_REQUEST
    starts_conversation = True

    def addressing(self, subject: models.Model) -> Addressing:
        return where_to(as_booking(subject))

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        booking = as_booking(subject)
        return booking_message(
            booking_id=booking.pk,
            bundle_id=bundle_id,
            appointment=booking.resource,
            included=booking.included,
            header=header_facts(booking),
            now=now,
        )

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_booking(booking=locked(subject_id), outcome=outcome, actor=actor, now=now)

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        waiting = (BookingStatus.REQUESTED, BookingStatus.UNKNOWN)
        return locked(subject_id).status not in waiting

    def find_delivered(self, subject_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
        return find_sent(subject_id, client, now=now)

    def parse(self, bundle: MessageBundle) -> ReceivedBooking:
        return parse_booking(bundle)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        booking = receive_booking(received=parsed, context=context)
        return Applied(focus=(parsed.url, booking.resource), included=taken_slot(parsed))


@register_message
class BookingCancelled(MessageType):
    key = "booking-cancelled"
    label = "Cancelled booking"
    event = MessageEvent.BOOKING_REQUEST
    # The official example says `new`; the standard says `update`, and so do we.
    reasons = frozenset({MessageReason.UPDATE, MessageReason.NEW})
    focus_type = "Appointment"
    focus_statuses = frozenset({AppointmentStatus.CANCELLED.value})
    definition = Definition.BOOKING_REQUEST_CANCELLED

    def addressing(self, subject: models.Model) -> Addressing:
        return where_to(as_booking(subject))

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        booking = as_booking(subject)
        appointment = cancelled_appointment(
            booking.resource,
            own={
                "resourceType": "Appointment",
                "start": format_london(booking.start),
                "end": format_london(booking.end),
            },
            patient_url=patient_url(booking.pk),
            use_case=booking.use_case,
            reason=booking.cancel_reason,
            now=now,
        )
        return cancel_message(
            booking_id=booking.pk,
            bundle_id=bundle_id,
            appointment=appointment,
            included=booking.included,
            header=header_facts(booking),
            now=now,
        )

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_cancel(booking=locked(subject_id), outcome=outcome, actor=actor, now=now)

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        waiting = (BookingStatus.CANCELLING, BookingStatus.CANCEL_UNKNOWN)
        return locked(subject_id).status not in waiting

    def find_delivered(self, subject_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
        return find_sent(subject_id, client, now=now)

    def parse(self, bundle: MessageBundle) -> ReceivedBooking:
        return parse_booking(bundle)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        _, answer = receive_end(received=parsed, event=BookingEvent.RECEIVE_CANCEL, context=context)
        return Applied(focus=(parsed.url, answer))


@register_message
class BookingEnteredInError(MessageType):
    """Received only: our own people cancel, which says the same to the receiver's diary."""

    key = "booking-entered-in-error"
    label = "Booking entered in error"
    event = MessageEvent.BOOKING_REQUEST
    reasons = frozenset({MessageReason.UPDATE, MessageReason.NEW})
    focus_type = "Appointment"
    focus_statuses = frozenset({AppointmentStatus.ENTERED_IN_ERROR.value})
    definition = Definition.BOOKING_REQUEST_CANCELLED

    def parse(self, bundle: MessageBundle) -> ReceivedBooking:
        return parse_booking(bundle)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        event = BookingEvent.RECEIVE_ENTERED_IN_ERROR
        _, answer = receive_end(received=parsed, event=event, context=context)
        return Applied(focus=(parsed.url, answer))
