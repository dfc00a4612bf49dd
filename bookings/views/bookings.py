"""Bookings that we sent, and one that we received."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.pages import RowPaginator
from bookings.forms.bookings import CallForm, NoteForm
from bookings.presenters.bookings import FILTERS, BookingPage, booking_page, booking_rows
from bookings.presenters.diary import received_page
from bookings.presenters.slots import SlotPage
from bookings.selectors.sent import OfToday, Waiting, sent_bookings
from bookings.services.history import mark_patient_told, record_view
from bookings.services.settling import check_again, wait_for_outcome
from bookings.states import BookingStatus
from bookings.views.common import (
    booking_of,
    clock,
    ended_at,
    redirect_to_outcome,
    sent_booking,
)
from bookings.views.searching import slot_page

_PAGE = 25


@require_safe
@permission_required("bookings.view_sent_bookings")
def sent_list(request: HttpRequest) -> HttpResponse:
    chosen = _FILTERS.get(request.GET.get("status", ""))
    acting = acting_of(request)
    found = sent_bookings(acting, chosen=chosen, now=clock())
    page = RowPaginator(found, _PAGE).get_page(request.GET.get("page"))
    statuses = [(each.value, _filter_words(each)) for each in _FILTERS.values()]
    rows = booking_rows(page.object_list)
    context = {"page": page, "rows": rows, "status": chosen or "", "statuses": statuses}
    record(actor=acting.actor, action="bookings.view_sent_list", now=clock())
    return render(request, "bookings/list.jinja", context)


# Nothing that we sent has one of these.
_RECEIVED_ONLY = (BookingStatus.ENTERED_IN_ERROR, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
# By what the address says.
_FILTERS: dict[str, BookingStatus | Waiting | OfToday] = {
    each.value: each for each in (*Waiting, *OfToday, *BookingStatus) if each not in _RECEIVED_ONLY
}


def _filter_words(chosen: BookingStatus | Waiting | OfToday) -> str:
    return chosen.label if isinstance(chosen, BookingStatus) else FILTERS[chosen]


@require_safe
@permission_required("bookings.view_sent_bookings")
def detail(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    acting, now = acting_of(request), clock()
    record_view(booking=booking, acting=acting, now=now)
    page = booking_page(booking, acting=acting, now=now)
    context = {"page": page, "offers": _fresh_offers(request, page)}
    return render(request, "bookings/detail.jinja", context)


def _fresh_offers(request: HttpRequest, page: BookingPage) -> SlotPage | None:
    """Somebody else took the time: what is free now is shown at once, with everything typed kept."""
    if not page.is_refused or page.later is not None or not acting_of(request).may("bookings.book_slot"):
        return None
    booking = page.booking
    first = in_london(booking.start).date()
    return slot_page(request, booking.service, first, journey=booking.journey)


@require_safe
@permission_required("bookings.view_sent_bookings")
def status(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """The fragment that a waiting page asks for; once the booking has changed, the page where it ended is
    loaded: at once with `?open`.
    """
    booking = sent_booking(request, booking_id)
    if "open" in request.GET:
        return redirect_to_outcome(booking)
    page = booking_page(booking, acting=acting_of(request), now=clock())
    if page.is_working:
        return render(request, "bookings/_working.jinja", {"page": page})
    if page.is_unknown and request.GET.get("seen") == page.stamp:
        return HttpResponse(page.trying, content_type="text/plain; charset=utf-8")
    response = HttpResponse(status=204)
    ended = ended_at(booking)
    if ended.pk == booking.pk:
        response["HX-Refresh"] = "true"
    else:
        response["HX-Redirect"] = reverse("bookings:detail", args=[ended.pk])
    return response


@require_POST
@permission_required("bookings.book_slot")
def check_booking_again(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    try:
        wait_for_outcome(check_again(booking=booking, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, "Somebody checked this booking at the same moment. This is how it stands now.")
    return redirect_to_outcome(booking)


@require_POST
@permission_required("bookings.book_slot")
def told(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    try:
        mark_patient_told(booking=booking, acting=acting_of(request), now=clock())
        messages.success(request, "Recorded: the patient has been told.")
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("bookings:detail", booking_id)


@require_safe
@permission_required("bookings.view_received_bookings")
def received(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking, acting = booking_of(request, booking_id, Direction.RECEIVED), acting_of(request)
    now = clock()
    record_view(booking=booking, acting=acting, now=now)
    page = received_page(booking, acting=acting, now=now)
    forms = {"note_form": NoteForm(), "call_form": CallForm()}
    return render(request, "bookings/received.jinja", {"page": page, **forms})
