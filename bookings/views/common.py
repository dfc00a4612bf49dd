"""What several pages do: find their booking or draft, ask the service first, wait, go on to the next step."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from bars_portal.accounts.acting import acting_of
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import in_london
from bookings.models import Booking, BookingDraft
from bookings.policies import lacks_approval
from bookings.selectors.sent import booking_for, booking_of_draft, draft_for, rebooking_of
from bookings.states import BookingStatus
from directory.models import HealthcareService, ServiceCapability
from directory.remote import sender_identity
from directory.services.entries import read_capability


def clock() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The day that it is in London."""
    return in_london(clock()).date()


def draft_or_outcome(request: HttpRequest, draft_id: UUID) -> BookingDraft | HttpResponse:
    """The draft; of one that was sent, the way to what became of it: the back button, or a second press."""
    acting = acting_of(request)
    # The draft first: a booking that uses it up at this moment is there once the draft is gone.
    draft = draft_for(acting, draft_id)
    sent = booking_of_draft(acting, draft_id) if draft is None or draft.replaces_id is not None else None
    if sent is not None:
        return redirect_to_outcome(sent)
    if draft is None:
        raise Http404
    return draft


def of_draft(
    view: Callable[[HttpRequest, BookingDraft], HttpResponse],
) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """A page of a draft that can still be written."""

    @wraps(view)
    def page(request: HttpRequest, draft_id: UUID) -> HttpResponse:
        found = draft_or_outcome(request, draft_id)
        return view(request, found) if isinstance(found, BookingDraft) else found

    return page


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
    return read_capability(client_for_page(request), service=service, sender=sender, now=clock())


def ended_at(booking: Booking) -> Booking:
    """What a booking came to: when it was rebooked, the new appointment, however that one stands."""
    plan = rebooking_of(booking)
    new = plan.booked if plan is not None and plan.cancelled_id == booking.pk else None
    return new or booking


def redirect_to_outcome(booking: Booking) -> HttpResponse:
    return redirect("bookings:detail", ended_at(booking).pk)


def redirect_to_next_step(draft: BookingDraft) -> HttpResponse:
    """An approval, then the patient; a rebooking that still has an appointment to cancel asks for that."""
    if lacks_approval(draft):
        return redirect("bookings:approval", draft.pk)
    if draft.replaces is not None and draft.replaces.status == BookingStatus.BOOKED:
        return redirect("bookings:rebook-confirm", draft.pk)
    return redirect("bookings:check" if draft.patient_data else "bookings:patient", draft.pk)
