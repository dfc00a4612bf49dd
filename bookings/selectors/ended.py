"""What was booked with us and is over: the diary's second list."""

from datetime import date, timedelta

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import london_midnight
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.models import HealthcareService


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
