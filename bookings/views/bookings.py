"""Bookings that we sent: listed, shown, checked again, settled with the service, cancelled and rebooked.

Before a cancellation or a rebooking the latest is read from the receiver: what it says is said, it is asked
once, and then sent.
"""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.pages import RowPaginator
from bookings import ports
from bookings.forms.bookings import CancelForm, RebookForm
from bookings.latest import read_latest
from bookings.models import Booking, BookingDraft
from bookings.policies import (
    check_can_cancel,
    check_can_rebook,
    check_can_settle,
    frame_missed_by,
    lacks_approval,
)
from bookings.presenters.bookings import FILTERS, BookingPage, booking_page, booking_rows
from bookings.presenters.slots import SlotPage, appointment_rows, lateness
from bookings.selectors.sent import OfToday, Waiting, rebooking_of, sent_bookings
from bookings.services.cancelling import end_rebooking, find_cancelled, request_cancel, start_rebooking
from bookings.services.history import mark_patient_told, record_view
from bookings.services.settling import accept_differences, check_again, settle_differences, wait_for_outcome
from bookings.states import BookingStatus
from bookings.views.common import (
    ask_first,
    clock,
    ended_at,
    of_draft,
    redirect_to_outcome,
    sent_booking,
)
from bookings.views.searching import slot_page
from directory.remote import sender_identity

_PAGE = 25
_MEANWHILE = "Somebody changed this booking at the same moment. This is how it stands now."


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


def latest_of(request: HttpRequest, booking: Booking) -> Latest:
    """One read over the wire, never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_latest(client_for_page(request), booking=booking, sender=sender, now=clock())


@require_http_methods(["GET", "POST"])
@permission_required("bookings.cancel_booking")
def cancel(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking = sent_booking(request, booking_id)
    try:
        check_can_cancel(acting_of(request), booking, clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:detail", booking.pk)
    form = CancelForm(request.POST or None)
    latest = latest_of(request, booking)
    if latest.status in ("cancelled", "entered-in-error"):
        return _found_cancelled(request, booking, latest)
    if request.method == "POST" and form.is_valid() and latest.can_be_changed:
        return _send_cancel(request, booking, form, latest)
    record_view(booking=booking, acting=acting_of(request), now=clock())
    page = booking_page(booking, acting=acting_of(request), now=clock())
    return render(request, "bookings/cancel.jinja", {"form": form, "page": page, "latest": latest})


def _found_cancelled(request: HttpRequest, booking: Booking, latest: Latest) -> HttpResponse:
    """Only our record is behind: nothing has to be sent."""
    try:
        find_cancelled(booking=booking, latest=latest, actor=acting_of(request).actor, now=clock())
        messages.info(request, "The service had already cancelled this appointment.")
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("bookings:detail", booking.pk)


def _send_cancel(request: HttpRequest, booking: Booking, form: CancelForm, latest: Latest) -> HttpResponse:
    try:
        cancelling = request_cancel(
            booking=booking, latest=latest, reason=form.words(), acting=acting_of(request), now=clock()
        )
        wait_for_outcome(cancelling)
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("bookings:detail", booking.pk)


@require_POST
@permission_required("bookings.book_slot")
def ask_again(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Of a booking that is not as we asked: what the service holds now."""
    booking = sent_booking(request, booking_id)
    try:
        check_can_settle(acting_of(request), booking)
        latest = latest_of(request, booking)
        settle_differences(booking=booking, latest=latest, acting=acting_of(request), now=clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("bookings:detail", booking.pk)


@require_POST
@permission_required("bookings.book_slot")
def accept(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Take the time that the service holds."""
    booking = sent_booking(request, booking_id)
    try:
        accept_differences(booking=booking, acting=acting_of(request), now=clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("bookings:detail", booking.pk)


@require_safe
@permission_required("bookings.rebook_booking")
def rebook(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """On to the service's times; the same patient is kept."""
    booking = sent_booking(request, booking_id)
    try:
        check_can_rebook(acting_of(request), booking, clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:detail", booking.pk)
    return redirect(f"{reverse('bookings:slots', args=[booking.service.service_id])}?instead={booking.pk}")


@require_POST
@permission_required("bookings.rebook_booking")
def no_longer_wanted(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Of a rebooking whose new appointment came to nothing: nobody looks after it any more."""
    booking = sent_booking(request, booking_id)
    try:
        end_rebooking(booking=booking, acting=acting_of(request), now=clock())
        messages.success(request, "Recorded: no new appointment is wanted.")
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    return redirect("bookings:detail", booking.pk)


@require_http_methods(["GET", "POST"])
@permission_required("bookings.rebook_booking")
@of_draft
def confirm_rebooking(request: HttpRequest, draft: BookingDraft) -> HttpResponse:
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
    return _confirm_rebooking(request, draft, booking)


def _confirm_rebooking(request: HttpRequest, draft: BookingDraft, booking: Booking) -> HttpResponse:
    latest = latest_of(request, booking)
    renewal = ports.renewal.provider(
        booking, draft.service, acting_of(request), client_for_page(request), clock()
    )
    form = RebookForm(request.POST or None, refers_anew=renewal is not None and not renewal.obstacle)
    if request.method == "POST" and form.is_valid() and latest.can_be_changed:
        ask_first(request, draft.service)
        try:
            start_rebooking(
                booking=booking,
                latest=latest,
                draft=draft,
                reason=form.words(),
                acting=acting_of(request),
                now=clock(),
                reassessed=form.cleaned_data["reassessed"],
                renewal=renewal,
            )
            _wait_for_both(booking)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
        except TransitionRefused:
            messages.info(request, "Somebody changed this booking at the same moment.")
        return redirect_to_outcome(booking)
    record_view(booking=booking, acting=acting_of(request), now=clock())
    context = {
        "form": form,
        "draft": draft,
        "page": booking_page(booking, acting=acting_of(request), now=clock()),
        "summary": appointment_rows(draft),
        "latest": latest,
        "renewal": renewal,
        "late": lateness(draft, frame_missed_by(draft)),
    }
    return render(request, "bookings/rebook.jinja", context)


def _wait_for_both(booking: Booking) -> None:
    wait_for_outcome(booking)
    rebooking = rebooking_of(booking)
    if rebooking is not None and rebooking.booked is not None:
        wait_for_outcome(rebooking.booked, patience=2.0)
