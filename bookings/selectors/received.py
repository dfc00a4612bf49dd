"""Received bookings, by the wire and by day; and what is of a journey, for who asks who looked at it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Case, Q, QuerySet, Value, When

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.searches import Found, Order, find
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import NHSNumber, ServiceID, UnknownTarget
from bars_portal.exchange.fhir.queries.patients import Demographics
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.patients.selectors import with_number
from bookings.models import Booking, WaitingEntry
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


# -- for the page of who looked at a patient, whoever booked


def subjects_of(journeys: Sequence[UUID]) -> Iterator[tuple[str, str]]:
    for model in (Booking, WaitingEntry):
        for pk in model._default_manager.filter(journey__in=journeys).values_list("pk", flat=True):
            yield model._meta.label_lower, str(pk)


def journeys_named(organisation: Organisation, text: str) -> Iterator[UUID]:
    """By the reference, or our id, of a booking."""
    wanted = Q(reference__iexact=text)
    with suppress(ValueError):
        wanted |= Q(pk=UUID(text))
    found = Booking.objects.filter(wanted, journey__organisation=organisation)
    yield from found.values_list("journey_id", flat=True)
