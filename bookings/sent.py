"""What every message about a booking of ours needs: the booking, its addressing, its header, its fate."""

from datetime import datetime

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.correspondence.entries import HeaderFacts
from bars_portal.correspondence.envelope import header_to
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.registry import Addressing
from bars_portal.exchange.transport.client import BarsClient
from bookings.models import Booking
from bookings.remote import read_latest
from directory.remote import identity_of

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
