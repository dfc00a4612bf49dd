"""Check your answers, send, and what became of it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway import get_client
from bars_portal.patients.details import PatientDetails
from directory.remote import sender_identity
from directory.services.capability import read_capability
from referrals import policies, selectors, services
from referrals.content import ContentInvalid, RequestContent
from referrals.forms.reading import content_of
from referrals.forms.reason import ReasonForm
from referrals.forms.steps import step_of_part
from referrals.models import SENT, Case, RequestDraft
from referrals.permissions import SEND, VIEW
from referrals.presenters.confirming import confirmation, is_waiting
from referrals.remote import LatestRequest, read_latest
from referrals.states import Direction, TransitionRefused
from referrals.views.request_check import answers_page, problems_of
from referrals.views.request_lookup import clock, draft_of, patient_of, read_draft, sent_case_of
from referrals.views.waiting import wait_for_case


@require_http_methods(["GET", "POST"])
@permission_required(SEND)
def check(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    sent = once_sent(request, draft_id)
    if sent is not None:
        return sent
    draft = draft_of(request, draft_id)
    steps, details = read_draft(draft), patient_of(draft)
    problems = problems_of(draft, steps, details)
    reason = ReasonForm(request.POST if request.method == "POST" else None) if draft.replaces else None
    ready = details is not None and not problems and (reason is None or reason.is_valid())
    if request.method == "GET" or details is None or not ready:
        return answers_page(request, draft, steps, details, problems, reason)
    content = content_of(UseCase(draft.use_case), steps)
    return _send(request, draft, content, details, reason.cleaned_data["reason"] if reason else "")


def once_sent(request: HttpRequest, draft_id: UUID) -> HttpResponse | None:
    """The back button, or a second press: the first one counts."""
    acting = acting_of(request)
    case = selectors.case_of_draft(draft_id)
    if case is None:
        draft = selectors.request_draft_for(acting, draft_id)
        case = (draft.updates or draft.replaces) if draft is not None and SENT in draft.typed else None
    if case is None or not policies.can_view(acting, case):
        return None
    return redirect("referrals:confirmation", case.pk)


def _send(
    request: HttpRequest, draft: RequestDraft, content: RequestContent, details: PatientDetails, reason: str
) -> HttpResponse:
    if draft.updates is None:
        # A draft may be days old, and what the service said then too old to count.
        read_capability(
            get_client(), service=draft.service, sender=sender_identity(acting_of(request)), now=clock()
        )
    try:
        case = services.send_draft(
            draft=draft,
            content=content,
            details=details,
            acting=acting_of(request),
            now=clock(),
            latest=_latest(request, draft),
            reason=reason,
        )
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("referrals:request-check", draft.pk)
    except ContentInvalid as invalid:
        messages.error(request, "Something that this kind of request needs is missing or cannot be used.")
        slug = next((found for part in invalid.fields if (found := step_of_part(part))), "")
        return redirect("referrals:request-step", draft.pk, slug or "assessment")
    wait_for_case(case)
    return redirect("referrals:confirmation", case.pk)


def _latest(request: HttpRequest, draft: RequestDraft) -> LatestRequest | None:
    """One read over the wire, never inside a transaction; only for what changes a case."""
    case: Case | None = draft.updates or draft.replaces
    if case is None:
        return None
    return read_latest(get_client(), case=case, sender=sender_identity(acting_of(request)), now=clock())


@require_safe
@permission_required(VIEW[Direction.SENT])
def outcome(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case, acting, now = sent_case_of(request, case_id), acting_of(request), clock()
    services.record_case_view(case=case, acting=acting, now=now)
    page = confirmation(case, acting=acting, now=now)
    return render(request, "referrals/request/outcome.jinja", {"page": page})


@require_safe
@permission_required(VIEW[Direction.SENT])
def outcome_status(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The fragment that a waiting page asks for every two seconds; a settled case reloads the page."""
    case = sent_case_of(request, case_id)
    if not is_waiting(case):
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    page = confirmation(case, acting=acting_of(request), now=clock())
    return render(request, "referrals/request/_working.jinja", {"page": page})


@require_POST
@permission_required(SEND)
def outcome_again(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case = sent_case_of(request, case_id)
    try:
        wait_for_case(services.check_again(case=case, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, "Somebody checked this at the same moment. This is how it stands now.")
    return redirect("referrals:confirmation", case_id)
