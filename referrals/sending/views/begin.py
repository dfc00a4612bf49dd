"""Beginning a request: which service, what kind, what is known; and what all its pages begin with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.explanations import PATIENCE_SECONDS, wait_while
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.reassessment import ReassessedField
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextareaField, TextField
from bars_portal.nhsuk.words import listed_name
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from bookings.services.history import record_view
from directory.capability import USE_CASE_WORDS
from directory.remote import sender_identity
from directory.selectors.search import find_services
from directory.selectors.services import service_by_id
from directory.services.entries import clear_capability, read_capability
from referrals.cases import history, policies, settings
from referrals.cases.codes import lists_from
from referrals.cases.models import Case
from referrals.cases.policies import SEND
from referrals.cases.views import clock
from referrals.forms.base import FormContext
from referrals.forms.steps import ReadStep, read_step, steps_of
from referrals.sending import selectors
from referrals.sending.drafts import create_request_draft, discard_request_draft
from referrals.sending.latest import read_latest
from referrals.sending.models import SENT, RequestDraft
from referrals.sending.presenters import is_waiting
from referrals.sending.start import PATIENT, RequestStart, known_steps, start_of


def of_draft(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of a draft that can still be written; one that was sent leads to what became of it: the back
    button, or a second press.
    """

    @wraps(view)
    def page(request: HttpRequest, draft_id: UUID, **named: str) -> HttpResponse:
        acting = acting_of(request)
        # The draft first: a case that uses it up at this moment is there once the draft is gone.
        draft = selectors.request_draft_for(acting, draft_id)
        case = selectors.case_of_draft(draft_id) if draft is None else sent_from(draft)
        if case is not None and policies.can_view(acting, case):
            return redirect("referrals:confirmation", case.pk)
        if draft is None:
            raise Http404
        return view(request, draft, **named)

    return page


def sent_from(draft: RequestDraft) -> Case | None:
    """The case that a draft changed, or the referral that took its place; None for one that is not sent."""
    if SENT not in draft.typed:
        return None
    plan = selectors.rereferral_of(draft.replaces) if draft.replaces is not None else None
    return plan.made if plan is not None and plan.made is not None else draft.replaces or draft.updates


def latest_of(request: HttpRequest, case: Case) -> Latest:
    """One read over the wire, never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_latest(client_for_page(request), case=case, sender=sender, now=clock())


def asked_of(draft: RequestDraft) -> FormContext:
    return FormContext(UseCase(draft.use_case), draft.created_at, lists_from(settings.offered_codes()))


def read_draft(draft: RequestDraft, asked: FormContext) -> list[ReadStep]:
    return [read_step(step, draft.typed.get(step.slug), asked) for step in steps_of(asked)]


def patient_form(draft: RequestDraft) -> PatientForm:
    """The draft's answers as a form; nothing typed yet: an empty, unbound one."""
    return PatientForm(draft.typed.get(PATIENT) or None, today=in_london(clock()).date())


def patient_of(draft: RequestDraft) -> PatientDetails | None:
    """For the banner: once enough is typed to say who it is."""
    form = patient_form(draft)
    return form.to_details() if form.is_bound and form.is_valid() else None


def wait_for_case(case: Case, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the receiver has answered what we sent about it; the case is read anew."""
    wait_while(lambda: is_waiting(case), case.refresh_from_db, patience=patience)
    # What waits is the message: it may have been settled after the case was read.
    case.refresh_from_db()


class KindForm(NHSForm):
    use_case = RadiosField(
        label="What kind of request is it?",
        options=[],
        missing="Select what kind of request it is",
        label_size="m",
    )

    def __init__(self, *args: Any, kinds: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["use_case"]
        if isinstance(field, RadiosField):
            field.choices = field.offer(kinds)
            field.initial = kinds[0][0] if len(kinds) == 1 else None


class ServiceNameForm(NHSForm):
    name = TextField(label="Name of the service", required=False, max_length=80, autocomplete="off")


class ReasonForm(NHSForm):
    """Of a referral that takes another one's place."""

    reassessed = ReassessedField()
    reason = TextareaField(
        label="Why is the old referral taken back?",
        hint="The service that has it reads this",
        missing="Enter why the old referral is taken back",
        max_length=200,
        rows=3,
    )


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
        history.record_case_view(case=case, **about)
    elif beginning.booking:
        record_view(booking=beginning.booking, **about)
    elif beginning.journey:
        history.record_journey_view(journey=beginning.journey, **about)


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
