"""Bookings that we sent: the list, one booking with its outcome, and what can be done next."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.audit.services import record
from bookings import services
from bookings.models import Booking
from bookings.presenters import SlotPage, booking_page, booking_rows
from bookings.selectors import SentFilters, sent_bookings
from bookings.states import BookingStatus, TransitionRefused
from bookings.views.lookup import LONDON, clock, sent_booking
from bookings.views.searching import slot_page
from bookings.views.waiting import wait_for_outcome

_PAGE = 25


@require_safe
@permission_required("bookings.view_sent_bookings")
def sent_list(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("status", "")
    status = BookingStatus(chosen) if chosen in set(BookingStatus) else None
    acting = acting_of(request)
    found = sent_bookings(acting, SentFilters(statuses=(status.value,) if status else ()))
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": booking_rows(page.object_list), "status": chosen, "statuses": _FILTERS}
    record(actor=acting.actor, action="bookings.view_sent_list", now=clock())
    return render(request, "bookings/list.jinja", context)


_FILTERS = [(each.value, each.label) for each in BookingStatus if each is not BookingStatus.ENTERED_IN_ERROR]


@require_safe
@permission_required("bookings.view_sent_bookings")
def detail(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    acting, now = acting_of(request), clock()
    services.record_view(booking=booking, acting=acting, now=now)
    context = {
        "page": booking_page(booking, acting=acting, now=now),
        "offers": _fresh_offers(request, booking),
    }
    return render(request, "bookings/detail.jinja", context)


def _fresh_offers(request: HttpRequest, booking: Booking) -> SlotPage | None:
    """Somebody else took the time: what is free now is shown at once, with everything typed kept."""
    if booking.status != BookingStatus.REFUSED or not acting_of(request).may("bookings.book_slot"):
        return None
    return slot_page(request, booking.service, booking.start.astimezone(LONDON).date())


@require_safe
@permission_required("bookings.view_sent_bookings")
def status(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """The fragment that a waiting page asks for; once the booking has changed, the page is loaded anew."""
    booking = sent_booking(request, booking_id)
    page = booking_page(booking, acting=acting_of(request), now=clock())
    if page.is_working:
        return render(request, "bookings/_working.jinja", {"page": page})
    if page.is_unknown and request.GET.get("seen") == page.stamp:
        return HttpResponse(page.trying, content_type="text/plain; charset=utf-8")
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response


@require_POST
@permission_required("bookings.book_slot")
def check_booking_again(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    try:
        wait_for_outcome(services.check_again(booking=booking, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, "Somebody checked this booking at the same moment. This is how it stands now.")
    return redirect("bookings:detail", booking_id)


@require_POST
@permission_required("bookings.book_slot")
def told(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    try:
        services.mark_patient_told(booking=booking, acting=acting_of(request), now=clock())
        messages.success(request, "Recorded: the patient has been told.")
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("bookings:detail", booking_id)
