"""Beginning a request: which service, what kind, and what is known already."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.words import listed_name
from bookings.services.history import record_view
from directory.capability import USE_CASE_WORDS
from directory.remote import sender_identity
from directory.selectors.search import find_services
from directory.selectors.services import service_by_id
from directory.services.entries import clear_capability, read_capability
from referrals.cases import viewing
from referrals.cases.views import clock
from referrals.forms.base import FormContext
from referrals.permissions import SEND
from referrals.sending import selectors
from referrals.sending.drafts import create_request_draft, discard_request_draft
from referrals.sending.forms import KindForm, ServiceNameForm
from referrals.sending.models import RequestDraft
from referrals.sending.prefill import known_steps
from referrals.sending.start import PATIENT, RequestStart, start_of
from referrals.sending.views.lookup import of_draft


@require_http_methods(["GET", "POST"])
@permission_required("directory.find_service")
def new(request: HttpRequest) -> HttpResponse:
    """`?service=`, `?booking=`, `?journey=`, `?again=` (referral), `?update=` (case), `?onward=` (case)."""
    beginning = start_of(request, now=clock())
    if beginning.service is None:
        return _choose_service(request, beginning)
    beginning = _asked_itself(request, beginning)
    obstacle = beginning.obstacle()
    if obstacle:
        context = {"beginning": beginning, "obstacle": obstacle, "needs_booking": beginning.needs_booking()}
        return render(request, "referrals/request/blocked.jinja", context)
    _record_look(beginning)
    form = KindForm(request.POST if request.method == "POST" else None, kinds=beginning.kinds())
    if request.method == "POST" and form.is_valid():
        return _create(request, beginning, form.cleaned_data["use_case"])
    context = {"beginning": beginning, "form": form, "patient": beginning.known_details()}
    return render(request, "referrals/request/new.jinja", context)


@require_safe
@permission_required(SEND)
def drafts(request: HttpRequest) -> HttpResponse:
    found = selectors.request_drafts_of(acting_of(request))
    lines = [
        {"draft": each, "kind": USE_CASE_WORDS[UseCase(each.use_case)], "patient": _name_in(each)}
        for each in found
    ]
    return render(request, "referrals/request/drafts.jinja", {"drafts": lines})


@require_POST
@permission_required(SEND)
@of_draft
def discard(request: HttpRequest, draft: RequestDraft) -> HttpResponse:
    discard_request_draft(draft=draft)
    messages.success(request, "Nothing was sent. What you typed has been deleted.")
    return redirect("home")


@require_POST
@permission_required(SEND)
def ask_again(request: HttpRequest, service_id: str) -> HttpResponse:
    """What the service said is forgotten: the next page asks it anew."""
    service = service_by_id(service_id)
    if service is None:
        raise Http404
    clear_capability(service=service)
    return redirect(reverse("referrals:new", query={"service": service.service_id}))


def _record_look(beginning: RequestStart) -> None:
    """Who the request is about is shown, and taken over."""
    about: dict[str, Any] = {"acting": beginning.acting, "now": clock()}
    if case := beginning.case or beginning.onward:
        viewing.record_case_view(case=case, **about)
    elif beginning.booking:
        record_view(booking=beginning.booking, **about)
    elif beginning.journey:
        viewing.record_journey_view(journey=beginning.journey, **about)


def _name_in(draft: RequestDraft) -> str:
    """As far as it is typed."""
    typed = draft.typed.get(PATIENT, {})
    names = (typed.get("family_name", ""), typed.get("given_names", ""))
    return listed_name(*names) if any(names) else "Patient not typed yet"


def _asked_itself(request: HttpRequest, beginning: RequestStart) -> RequestStart:
    """With the service's own word on what it takes, where something could be sent at all."""
    if beginning.service is None or beginning.updates is not None or beginning.obstacle():
        return beginning
    sender = sender_identity(acting_of(request))
    capability = read_capability(
        client_for_page(request), service=beginning.service, sender=sender, now=clock()
    )
    return replace(beginning, capability=capability)


def _choose_service(request: HttpRequest, beginning: RequestStart) -> HttpResponse:
    form = ServiceNameForm(request.GET)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    context = {
        "beginning": beginning,
        "form": form,
        "services": [each.service for each in find_services(text=name, takes="referrals")],
    }
    return render(request, "referrals/request/service.jinja", context)


def _create(request: HttpRequest, beginning: RequestStart, use_case: str) -> HttpResponse:
    assert beginning.service is not None  # noqa: S101 - the page looked
    now = clock()
    try:
        draft = create_request_draft(
            acting=acting_of(request),
            service=beginning.service,
            use_case=use_case,
            now=now,
            booking=beginning.booking,
            journey=beginning.journey,
            replaces=beginning.replaces,
            updates=beginning.updates,
            onward=beginning.onward,
            typed=known_steps(beginning, FormContext(UseCase(use_case), now)),
        )
    except PolicyRefused as refusal:
        context = {"beginning": beginning, "obstacle": refusal.sentence, "needs_booking": False}
        return render(request, "referrals/request/blocked.jinja", context)
    return redirect("referrals:request", draft.pk)
