"""What the pages of a request begin with: the draft of their address, read, or the 404 page."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from bars_portal.accounts.acting import acting_of
from bars_portal.correspondence.explanations import PATIENCE_SECONDS, wait_while
from bars_portal.correspondence.latest import Latest
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from directory.remote import sender_identity
from referrals.cases import policies, settings
from referrals.cases.codes import lists_from
from referrals.cases.models import Case
from referrals.cases.views import clock
from referrals.forms.base import FormContext
from referrals.forms.steps import ReadStep, read_step, steps_of
from referrals.sending import selectors
from referrals.sending.latest import read_latest
from referrals.sending.models import SENT, RequestDraft
from referrals.sending.presenters import is_waiting
from referrals.sending.start import PATIENT


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
