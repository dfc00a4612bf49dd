"""Saying by hand that a received booking and a received referral go together."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.patients.presenters import banner
from bookings.models import Booking
from bookings.services.history import record_view
from referrals import selectors
from referrals.answer_forms.linking import LinkForm, booking_options, referral_options
from referrals.models import Referral
from referrals.permissions import WORK
from referrals.services import linking, record_case_view
from referrals.views.lookup import clock, received_case_of

_LINKED = "They are linked now."
_KNOWN = "They were linked already."


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def link_booking(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The appointments of the same patient that stand; one is chosen."""
    referral = _referral(request, case_id)
    options = booking_options(selectors.linkable_bookings(acting_of(request), referral))
    form = LinkForm(request.POST or None, options=options, label="Which appointment goes with it?")
    if form.is_bound and form.is_valid():
        booking = _booking(request, UUID(form.cleaned_data["chosen"]))
        _link(request, referral, booking)
        return redirect("referrals:received", case_id)
    record_case_view(case=referral, acting=acting_of(request), now=clock())
    context = {"form": form, "banner": banner(referral.patient), "case": referral, "about": "appointment"}
    return render(request, "referrals/link.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def link_referral(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """The same from the booking's side."""
    booking = _booking(request, booking_id)
    options = referral_options(selectors.linkable_referrals(acting_of(request), booking))
    form = LinkForm(request.POST or None, options=options, label="Which referral goes with it?")
    if form.is_bound and form.is_valid():
        _link(request, _referral(request, UUID(form.cleaned_data["chosen"])), booking)
        return redirect("bookings:received", booking_id)
    record_view(booking=booking, acting=acting_of(request), now=clock())
    context = {"form": form, "banner": banner(booking.patient), "booking": booking, "about": "referral"}
    return render(request, "referrals/link.jinja", context)


@require_POST
@permission_required(WORK)
def unlink_booking(request: HttpRequest, case_id: UUID, booking_id: UUID) -> HttpResponse:
    about = _about(request, _referral(request, case_id), _booking(request, booking_id))
    _told(request, lambda: linking.unlink_booking(**about), "The link is undone.", "They are not linked.")
    return redirect("referrals:received", case_id)


def _link(request: HttpRequest, referral: Referral, booking: Booking) -> None:
    about = _about(request, referral, booking)
    _told(request, lambda: linking.link_booking(**about), _LINKED, _KNOWN)


def _about(request: HttpRequest, referral: Referral, booking: Booking) -> dict[str, Any]:
    return {"referral": referral, "booking": booking, "acting": acting_of(request), "now": clock()}


def _told(request: HttpRequest, act: Callable[[], bool], done: str, nothing: str) -> None:
    try:
        changed = act()
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return
    (messages.success if changed else messages.info)(request, done if changed else nothing)


def _referral(request: HttpRequest, case_id: UUID) -> Referral:
    """Only referrals have appointments that go with them."""
    case = received_case_of(request, case_id)
    if not isinstance(case, Referral):
        raise Http404
    return case


def _booking(request: HttpRequest, booking_id: UUID) -> Booking:
    booking = selectors.received_booking(acting_of(request), booking_id)
    if booking is None:
        raise Http404
    return booking
