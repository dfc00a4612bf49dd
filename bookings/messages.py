"""The messages about a booking: asked for, cancelled, entered in error (standard section 6)."""

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.correspondence.envelope import header_to
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.registry import (
    Addressing,
    Applied,
    MessageContext,
    MessageType,
    Outcome,
    ReadBack,
    register_message,
)
from bars_portal.exchange.transport.client import BarsClient
from bookings.latest import read_back_cancel, read_back_new
from bookings.mapping.received import ReceivedBooking, parse_booking
from bookings.mapping.sent import booking_message, cancelled_appointment, patient_url
from bookings.models import Booking
from bookings.services.receiving import receive_booking, receive_end, taken_slot
from bookings.services.settling import settle_booking, settle_cancel
from bookings.states import BookingEvent, BookingStatus

# So long a booking is tried although its time has begun.
_SHORTEST = timedelta(minutes=5)


class SentBooking(MessageType):
    """What the messages have in common that our own people send."""

    # While the booking is in one of these, an answer to the message is still wanted.
    waiting: ClassVar[tuple[BookingStatus, ...]]

    def addressing(self, subject: models.Model) -> Addressing:
        booking = _booking(subject)
        return Addressing(
            service_id=ServiceID.parse(booking.service.service_id),
            correlation_id=booking.correlation_id,
            use_case=UseCase(booking.use_case),
            # use-context has a category; a booking has none of ServiceRequest's.
            category="booking",
        )

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        return _locked(subject_id).status not in self.waiting

    def parse(self, bundle: MessageBundle, *, now: datetime) -> ReceivedBooking:
        return parse_booking(bundle, now=now)


@register_message
class BookingNew(SentBooking):
    workflow = table.BOOKING_NEW
    label = "New booking"
    starts_conversation = True
    waiting = (BookingStatus.REQUESTED, BookingStatus.UNKNOWN)
    tried_for = timedelta(hours=1)

    def abandon_at(self, subject: models.Model, *, now: datetime) -> datetime:
        """Nobody books a time that has begun; who asks for one that begins right now gets some minutes."""
        start = max(_booking(subject).start, now + _SHORTEST)
        return min(super().abandon_at(subject, now=now), start)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        booking = _booking(subject)
        return booking_message(
            Definition.BOOKING_REQUEST,
            booking_id=booking.pk,
            bundle_id=bundle_id,
            appointment=booking.resource,
            included=booking.included,
            header=header_to(booking.service, sender=booking.organisation),
            now=now,
        )

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_booking(booking=_locked(subject_id), outcome=outcome, actor=actor, now=now)

    def read_back(self, subject_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
        return read_back_new(subject_id, client, now=now)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        booking = receive_booking(received=parsed, context=context)
        return Applied(focus=(parsed.url, booking.resource), included=taken_slot(parsed))


@register_message
class BookingCancelled(SentBooking):
    """The official example's reason is `new`; the standard says `update`, and so do we."""

    workflow = table.BOOKING_CANCELLED
    label = "Cancelled booking"
    waiting = (BookingStatus.CANCELLING, BookingStatus.CANCEL_UNKNOWN)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        booking = _booking(subject)
        times = {"start": format_instant(booking.start), "end": format_instant(booking.end)}
        appointment = cancelled_appointment(
            booking.resource,
            own={"resourceType": "Appointment", **times},
            patient_url=patient_url(booking.pk),
            use_case=booking.use_case,
            reason=booking.cancel_reason,
            now=now,
        )
        return booking_message(
            Definition.BOOKING_REQUEST_CANCELLED,
            booking_id=booking.pk,
            bundle_id=bundle_id,
            appointment=appointment,
            included=booking.included,
            header=header_to(booking.service, sender=booking.organisation),
            now=now,
        )

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_cancel(booking=_locked(subject_id), outcome=outcome, actor=actor, now=now)

    def read_back(self, subject_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
        return read_back_cancel(subject_id, client, now=now)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        appointment = receive_end(received=parsed, event=BookingEvent.RECEIVE_CANCEL, context=context)
        return Applied(focus=(parsed.url, appointment))


@register_message
class BookingEnteredInError(MessageType):
    """Received only: our own people cancel, which says the same to the receiver's diary."""

    workflow = table.BOOKING_ENTERED_IN_ERROR
    label = "Booking entered in error"

    def parse(self, bundle: MessageBundle, *, now: datetime) -> ReceivedBooking:
        return parse_booking(bundle, now=now)

    def apply(self, parsed: ReceivedBooking, context: MessageContext) -> Applied:
        event = BookingEvent.RECEIVE_ENTERED_IN_ERROR
        return Applied(focus=(parsed.url, receive_end(received=parsed, event=event, context=context)))


def _booking(subject: models.Model) -> Booking:
    if not isinstance(subject, Booking):
        raise TypeError("A booking message is about a booking.")
    return subject


def _locked(booking_id: str) -> Booking:
    """The booking whose message is being settled; nobody else changes it meanwhile."""
    rows = Booking.objects.select_for_update(of=("self",))
    return rows.select_related("service", "journey", "patient", "organisation").get(pk=booking_id)
