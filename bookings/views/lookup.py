"""What several pages begin with: the booking or draft of their address, or the 404 page."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest

from bars_portal.accounts.acting import acting_of
from bars_portal.correspondence.states import Direction
from bookings.models import Booking, BookingDraft
from bookings.selectors import booking_for, draft_for

LONDON = ZoneInfo("Europe/London")


def clock() -> datetime:
    return datetime.now(UTC)


def sent_booking(request: HttpRequest, booking_id: UUID) -> Booking:
    return _booking(request, booking_id, Direction.SENT)


def received_booking(request: HttpRequest, booking_id: UUID) -> Booking:
    return _booking(request, booking_id, Direction.RECEIVED)


def draft_of(request: HttpRequest, draft_id: UUID) -> BookingDraft:
    draft = draft_for(acting_of(request), draft_id)
    if draft is None:
        raise Http404
    return draft


def _booking(request: HttpRequest, booking_id: UUID, direction: Direction) -> Booking:
    booking = booking_for(acting_of(request), booking_id)
    if booking is None or booking.direction != direction:
        raise Http404
    return booking
