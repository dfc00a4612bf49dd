"""Acts of booking: looking for times, booking, cancelling, reading a booking back."""

from datetime import timedelta

from bars_portal.sender_drill import stating
from bars_portal.sender_drill.desk import MODEL_SERVICE, Desk, DrillError, service, settle
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told
from bookings import services
from bookings.models import Booking
from bookings.offers import SlotSearch
from bookings.policies import PolicyRefused
from bookings.remote import read_latest
from bookings.slot_search import search_slots

_DAYS = timedelta(days=14)


def find_slots(desk: Desk, row: Row) -> Told:
    found = _search(desk, row.service)
    return Told(
        "offers" if found.offers else str(found.problem), found.problem.sentence if found.problem else ""
    )


def book(desk: Desk, row: Row) -> Told:
    return _of(booked(desk, row))


def cancel(desk: Desk, row: Row) -> Told:
    return cancelled(desk, booked(desk, row))


def cancelled(desk: Desk, booking: Booking) -> Told:
    """Read first, as a page does, then cancelled from that version."""
    now = desk.clock()
    try:
        latest = read_latest(desk.client, booking=booking, sender=desk.sender, now=now)
        services.request_cancel(booking=booking, latest=latest, reason="pat", acting=desk.sending, now=now)
    except PolicyRefused as refusal:
        return Told(booking.status, refusal.sentence)
    settle(booking, desk)
    return _of(booking)


def read_booking(desk: Desk, row: Row) -> Told:
    """Of a booking that the service knows by `resource`; "" makes us search by the patient."""
    booking = booked(desk, row)
    booking.remote_id = row.resource
    Booking.objects.filter(pk=booking.pk).update(remote_id=row.resource)
    latest = read_latest(desk.client, booking=booking, sender=desk.sender, now=desk.clock())
    return Told(latest.state, latest.sentence)


def _search(desk: Desk, service_id: str) -> SlotSearch:
    now = desk.clock()
    place = service(service_id)
    return search_slots(desk.client, service=place, start=now, end=now + _DAYS, sender=desk.sender, now=now)


def booked(desk: Desk, row: Row) -> Booking:
    """The first time that the model of all test services offers, asked of the row's own service."""
    now, offers = desk.clock(), _search(desk, MODEL_SERVICE).offers
    if not offers:
        raise DrillError("The test service offers no times.")
    place = service(row.service or MODEL_SERVICE)
    chosen = offers[0]
    draft = services.open_draft(acting=desk.sending, service=place, use_case="a1t1", chosen=chosen, now=now)
    details = stating.patient(row.nhs_number)
    booking = services.request_booking(draft=draft, details=details, acting=desk.sending, now=now)
    settle(booking, desk)
    return booking


def _of(booking: Booking) -> Told:
    return Told(booking.status, booking.explanation)
