"""What several pages do: find their booking or draft, ask the service first, wait, go on to the next step."""

from datetime import UTC, date, datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from bars_portal.accounts.acting import acting_of
from bars_portal.correspondence.states import Direction
from bars_portal.correspondence.waiting import PATIENCE_SECONDS, wait_while
from bars_portal.exchange.gateway import get_client
from bars_portal.nhsuk.dates import in_london
from bookings.models import Booking, BookingDraft
from bookings.policies import lacks_approval
from bookings.selectors.sent import booking_for, draft_for
from bookings.states import BookingStatus
from directory.models import HealthcareService, ServiceCapability
from directory.remote import sender_identity
from directory.services.capability import read_capability


def clock() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The day that it is in London."""
    return in_london(clock()).date()


def draft_of(request: HttpRequest, draft_id: UUID) -> BookingDraft:
    draft = draft_for(acting_of(request), draft_id)
    if draft is None:
        raise Http404
    return draft


def booking_of(request: HttpRequest, booking_id: UUID, direction: Direction) -> Booking:
    booking = booking_for(acting_of(request), booking_id)
    if booking is None or booking.direction != direction:
        raise Http404
    return booking


def sent_booking(request: HttpRequest, booking_id: UUID) -> Booking:
    return booking_of(request, booking_id, Direction.SENT)


def ask_first(request: HttpRequest, service: HealthcareService) -> ServiceCapability:
    """Asked over the wire when it is not known, or too old: never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_capability(get_client(), service=service, sender=sender, now=clock())


_ON_ITS_WAY = (BookingStatus.REQUESTED, BookingStatus.CANCELLING)


def wait_for_outcome(booking: Booking, *, patience: float = PATIENCE_SECONDS) -> Booking:
    """The booking once it is settled, or as it stands when the patience ends. Reads only its status."""
    wait_while(
        lambda: booking.status in _ON_ITS_WAY,
        lambda: booking.refresh_from_db(fields=["status"]),
        patience=patience,
    )
    booking.refresh_from_db()
    return booking


def redirect_to_next_step(draft: BookingDraft) -> HttpResponse:
    """An approval, then the patient; a rebooking that still has an appointment to cancel asks for that."""
    if lacks_approval(draft):
        return redirect("bookings:approval", draft.pk)
    if draft.replaces is not None and draft.replaces.status == BookingStatus.BOOKED:
        return redirect("bookings:rebook-confirm", draft.pk)
    return redirect("bookings:check" if draft.patient_data else "bookings:patient", draft.pk)
