"""Rebook: choose the new time first, then cancel the old appointment and book the new one, in this order."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bookings import services
from bookings.forms import CancelForm
from bookings.models import Booking, BookingDraft
from bookings.policies import check_can_rebook, lacks_approval
from bookings.presenters import booking_page, draft_summary
from bookings.selectors import rebooking_of
from bookings.states import BookingStatus, TransitionRefused
from bookings.views.asking import ask_first
from bookings.views.cancelling import latest_of
from bookings.views.lookup import clock, draft_of, sent_booking
from bookings.views.waiting import wait_for_outcome


@require_safe
@permission_required("bookings.rebook_booking")
def choose(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """On to the service's times; the same patient is kept."""
    booking = sent_booking(request, booking_id)
    try:
        check_can_rebook(acting_of(request), booking, clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:detail", booking.pk)
    return redirect(f"{reverse('bookings:slots', args=[booking.service.service_id])}?instead={booking.pk}")


@require_http_methods(["GET", "POST"])
@permission_required("bookings.rebook_booking")
def confirm(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = draft_of(request, draft_id)
    booking = draft.replaces
    if booking is None or booking.status == BookingStatus.CANCELLED:
        # Nothing is left to cancel: only the second half is to be done.
        return redirect("bookings:check", draft.pk)
    if lacks_approval(draft):
        return redirect("bookings:approval", draft.pk)
    try:
        check_can_rebook(acting_of(request), booking, clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:detail", booking.pk)
    return _confirm(request, draft, booking)


def _confirm(request: HttpRequest, draft: BookingDraft, booking: Booking) -> HttpResponse:
    form = CancelForm(request.POST or None)
    latest = latest_of(request, booking)
    if request.method == "POST" and form.is_valid() and latest.can_be_cancelled:
        ask_first(request, draft.service)
        try:
            services.start_rebooking(
                booking=booking,
                latest=latest,
                draft=draft,
                reason=form.words(),
                acting=acting_of(request),
                now=clock(),
            )
            _wait_for_both(booking)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
        except TransitionRefused:
            messages.info(request, "Somebody changed this booking at the same moment.")
        return redirect("bookings:detail", booking.pk)
    services.record_view(booking=booking, acting=acting_of(request), now=clock())
    context = {
        "form": form,
        "draft": draft,
        "page": booking_page(booking, acting=acting_of(request), now=clock()),
        "summary": draft_summary(draft),
        "latest": latest,
    }
    return render(request, "bookings/rebook.jinja", context)


def _wait_for_both(booking: Booking) -> None:
    wait_for_outcome(booking)
    rebooking = rebooking_of(booking)
    if rebooking is not None and rebooking.booked is not None:
        wait_for_outcome(rebooking.booked, patience=2.0)
