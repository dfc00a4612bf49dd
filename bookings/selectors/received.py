"""Received bookings: as their senders name them on the wire, and those of a day that are over."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Case, QuerySet, Value, When

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.searches import Found, Order, find
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import NHSNumber, ServiceID, UnknownTarget
from bars_portal.exchange.fhir.queries.patients import Demographics
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.patients.selectors import with_number
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.models import HealthcareService


def received_booking_by_wire(
    *,
    service_id: ServiceID,
    ids: Sequence[UUID],
    full_url: str,
    start: datetime,
    end: datetime,
    source: ServiceID | None,
) -> Booking | None:
    """The booking that a later message is about: by one of `ids`, else by the sender's fullUrl.

    A sender may use one fullUrl for several bookings, and a cancel need not carry our id (the official
    example does not): then the same times decide, and what still stands goes before what is over.
    """
    ours = _received().filter(service__service_id=service_id.value)
    for known in ids:
        if (found := ours.filter(pk=known).first()) is not None:
            return found
    if not full_url:
        return None
    same_times = Case(When(start=start, end=end, then=Value(0)), default=Value(1))
    stands = Case(When(status=BookingStatus.BOOKED, then=Value(0)), default=Value(1))
    named = ours.filter(sender_full_url=full_url, source_service_id=source.value if source else "")
    return named.order_by(same_times, stands, "-created_at").first()


def appointment_of(booking_id: UUID) -> Booking | None:
    """A received booking by our id, whatever became of it."""
    return _received().filter(pk=booking_id).first()


def appointments_of_patient(
    *,
    service_id: ServiceID | UnknownTarget | None,
    nhs_number: NHSNumber | None,
    demographics: Demographics | None,
    caller: Caller,
    after: tuple[datetime | UUID, ...] = (),
) -> Found[Booking]:
    """Received bookings of one patient, latest appointment first; of one service when it is named.

    An NHS number counts only where the booking said that it was verified (standard section 6).
    """
    found = _received()
    if service_id is not None:
        found = found.filter(service__service_id=service_id.value)
    if nhs_number is not None:
        found = found.filter(with_number(nhs_number.value))
    order = Order(("start", "created_at"), after)
    return find(found, order=order, caller=caller, person=demographics)


def _received() -> QuerySet[Booking]:
    related = ("service__provider", "patient", "journey", "message")
    return Booking.objects.filter(direction=Direction.RECEIVED).select_related(*related)


def ended_bookings_of(acting: Acting, service: HealthcareService, day: date) -> QuerySet[Booking]:
    """Received bookings of one London day, cancelled or entered in error; none for others' services."""
    if not acting.may("bookings.view_received_bookings"):
        return Booking.objects.none()
    ended = Booking.objects.filter(
        organisation=acting.organisation,
        service=service,
        direction=Direction.RECEIVED,
        status__in=(BookingStatus.CANCELLED, BookingStatus.ENTERED_IN_ERROR),
        start__gte=london_midnight(day),
        start__lt=london_midnight(day + timedelta(days=1)),
    )
    return ended.select_related("patient", "service").order_by("start")
