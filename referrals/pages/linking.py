"""Saying by hand that a received booking and a received referral go together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.forms import NHSForm, Option, RadiosField
from bars_portal.patients.presenters import banner
from bookings.models import Booking
from bookings.services.history import record_view
from directory.capability import use_cases_in_words
from referrals.cases import links
from referrals.cases.history import record_case_view
from referrals.cases.models import Referral
from referrals.cases.policies import WORK
from referrals.cases.views import clock, received_case_of


class LinkForm(NHSForm):
    chosen = RadiosField(label="Which one goes with it?", options=[], missing="Select one")

    def __init__(self, *args: Any, options: Sequence[Option], label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["chosen"]
        field.label = label
        if isinstance(field, RadiosField):
            field.choices = field.offer(options)


def booking_options(bookings: Iterable[Booking], referral: Referral) -> list[Option]:
    return [
        Option(
            str(each.pk),
            dates.format_datetime(each.start),
            hint=_hint(each.service.name, each.reference) + _late(each, referral),
        )
        for each in bookings
    ]


def referral_options(referrals: Iterable[Referral], booking: Booking) -> list[Option]:
    return [
        Option(
            str(each.pk),
            next(iter(use_cases_in_words([each.use_case])), "Referral"),
            hint=_hint(
                f"{each.service.name}, received {dates.format_datetime(each.created_at)}", each.reference
            )
            + _late(booking, each),
        )
        for each in referrals
    ]


def _late(booking: Booking, referral: Referral) -> str:
    seen_by = referral.breach_at
    if seen_by is None or not links.is_after(booking, seen_by):
        return ""
    return f". The patient should be seen by {dates.format_datetime(seen_by)}: this appointment is later"


def _hint(words: str, reference: str) -> str:
    return f"{words}, reference {reference}" if reference else words


_LINKED = "They are linked now."
_KNOWN = "They were linked already."


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def link_booking(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The appointments of the same patient that stand; one is chosen."""
    referral = _referral(request, case_id)
    options = booking_options(links.linkable_bookings(acting_of(request), referral), referral)
    form = LinkForm(request.POST or None, options=options, label="Which appointment goes with it?")
    if _is_chosen(request, (link.booking.pk for link in links.bookings_of(referral))):
        return redirect("referrals:received", case_id)
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
    options = referral_options(links.linkable_referrals(acting_of(request), booking), booking)
    form = LinkForm(request.POST or None, options=options, label="Which referral goes with it?")
    if _is_chosen(request, (link.referral.pk for link in links.referrals_of(booking))):
        return redirect("bookings:received", booking_id)
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
    _told(request, lambda: links.unlink_booking(**about), "The link is undone.", "They are not linked.")
    return redirect("referrals:received", case_id)


def _is_chosen(request: HttpRequest, linked: Iterable[UUID]) -> bool:
    """A second press: what was chosen is linked already, so it is not offered any more."""
    if request.POST.get("chosen") not in {str(each) for each in linked}:
        return False
    messages.info(request, _KNOWN)
    return True


def _link(request: HttpRequest, referral: Referral, booking: Booking) -> None:
    about = _about(request, referral, booking)
    _told(request, lambda: links.link_booking(**about), _LINKED, _KNOWN)


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
    booking = links.received_booking(acting_of(request), booking_id)
    if booking is None:
        raise Http404
    return booking
