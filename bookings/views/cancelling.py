"""Cancel: read the latest from the receiver first, say what it says, ask once, then send."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.exchange.gateway import get_client
from bookings import services
from bookings.forms import CancelForm
from bookings.latest import LatestAppointment
from bookings.models import Booking
from bookings.policies import check_can_cancel
from bookings.presenters import booking_page
from bookings.remote import read_latest
from bookings.states import TransitionRefused
from bookings.views.lookup import clock, sent_booking
from bookings.views.waiting import wait_for_outcome
from directory.remote import sender_identity


def latest_of(request: HttpRequest, booking: Booking) -> LatestAppointment:
    """One read over the wire, never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_latest(get_client(), booking=booking, sender=sender, now=clock())


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
    if request.method == "POST" and form.is_valid() and latest.can_be_cancelled:
        return _send(request, booking, form, latest)
    services.record_view(booking=booking, acting=acting_of(request), now=clock())
    page = booking_page(booking, acting=acting_of(request), now=clock())
    return render(request, "bookings/cancel.jinja", {"form": form, "page": page, "latest": latest})


def _found_cancelled(request: HttpRequest, booking: Booking, latest: LatestAppointment) -> HttpResponse:
    """Only our record is behind: nothing has to be sent."""
    try:
        services.find_cancelled(booking=booking, latest=latest, actor=acting_of(request).actor, now=clock())
        messages.info(request, "The service had already cancelled this appointment.")
    except TransitionRefused:
        messages.info(request, "Somebody changed this booking at the same moment. This is how it stands now.")
    return redirect("bookings:detail", booking.pk)


def _send(
    request: HttpRequest, booking: Booking, form: CancelForm, latest: LatestAppointment
) -> HttpResponse:
    try:
        cancelling = services.request_cancel(
            booking=booking, latest=latest, reason=form.words(), acting=acting_of(request), now=clock()
        )
        wait_for_outcome(cancelling)
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, "Somebody changed this booking at the same moment. This is how it stands now.")
    return redirect("bookings:detail", booking.pk)
