"""booking-request, new: a slot is asked for (standard section 6)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus, MessageEvent, MessageReason
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.registry import Addressing, Applied, MessageType, Outcome, register_message
from bars_portal.exchange.transport.client import BarsClient
from bookings import mapping
from bookings.mapping import ReceivedBooking
from bookings.sent import as_booking, find_sent, header_facts, locked, where_to
from bookings.services.receiving import receive_booking, taken_slot
from bookings.services.replies import settle_booking
from bookings.states import BookingStatus


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
        return mapping.booking_message(
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
        return mapping.parse_booking(bundle)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        booking = receive_booking(received=parsed, context=context)
        return Applied(focus=(parsed.url, booking.resource), included=taken_slot(parsed))
