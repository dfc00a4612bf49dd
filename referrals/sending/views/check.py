"""Check what was typed, send it, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.presenters import patient_rows, untraced_words
from bookings.models import Booking
from directory.capability import USE_CASE_WORDS
from directory.remote import sender_identity
from directory.services.entries import read_capability
from referrals.cases import viewing
from referrals.cases.links import is_after, standing_bookings
from referrals.cases.models import Case, Referral
from referrals.cases.views import clock, reloaded, sent_case_of
from referrals.cases.words import after_interim
from referrals.forms.steps import ReadStep, content_of, step_of_part
from referrals.parts.applications import application_of
from referrals.parts.content import ContentInvalid, RequestContent, check_parts
from referrals.permissions import SEND, VIEW
from referrals.sending import drafts, outcomes
from referrals.sending.forms import ReasonForm
from referrals.sending.models import RequestDraft
from referrals.sending.presenters import confirmation, is_waiting, summary_rows
from referrals.sending.selectors import linked_booking
from referrals.sending.views.lookup import (
    asked_of,
    latest_of,
    of_draft,
    patient_of,
    read_draft,
    wait_for_case,
)

Problem = dict[str, str]


def problems_of(
    draft: RequestDraft, steps: Sequence[ReadStep], details: PatientDetails | None
) -> list[Problem]:
    """What keeps the request from being sent, each with the step that mends it."""
    found: list[Problem] = []
    if details is None:
        found.append({"text": "Patient: enter who it is", "href": _patient(draft)})
    for each in steps:
        address = _step(draft, each.step.slug)
        found += [{"text": f"{each.step.title}: {one.text}", "href": address} for one in each.problems]
        if not each.form.is_bound and each.is_required:
            found.append({"text": f"{each.step.title}: answer this step", "href": address})
    return found or _missing(draft, steps)


def answers_page(
    request: HttpRequest,
    draft: RequestDraft,
    steps: Sequence[ReadStep],
    details: PatientDetails | None,
    problems: list[Problem],
    reason: ReasonForm | None,
) -> HttpResponse:
    faults = reason.summary() if reason is not None and reason.is_bound else []
    sends_untraced = application_of(UseCase(draft.use_case)).sends_untraced
    context = {
        "draft": draft,
        "kind": USE_CASE_WORDS[UseCase(draft.use_case)],
        "patient": details,
        "patient_rows": patient_rows(details) if details else [],
        "patient_address": "" if draft.replaces else _patient(draft),
        "untraced": untraced_words(details, sends_untraced=sends_untraced) if details else "",
        "cards": [_card(draft, each) for each in steps],
        "problems": problems,
        "errors": [*problems, *({"text": each.text, "href": each.href} for each in faults)],
        "reason": reason,
        "after_interim": draft.updates is not None and after_interim(draft.updates),
        "late": [] if problems else _late(draft, content_of(asked_of(draft).use_case, steps)),
    }
    return render(request, "referrals/request/check.jinja", context)


def _late(draft: RequestDraft, content: RequestContent) -> list[Booking]:
    """Appointments that go with it and are after the time by which it says that the patient is to be seen."""
    frame, case = content.time_frame, draft.updates
    if frame is None or frame.end is None:
        return []
    linked = standing_bookings(case) if isinstance(case, Referral) else []
    journey = draft.replaces.journey if draft.replaces is not None else draft.journey
    known = linked_booking(draft.service, booking=draft.booking, journey=journey)
    found = {each.pk: each for each in (*linked, *filter(None, [known]))}
    return [each for each in found.values() if is_after(each, frame.end)]


def _missing(draft: RequestDraft, steps: Sequence[ReadStep]) -> list[Problem]:
    """The content's own rules, should the forms have overlooked one."""
    try:
        check_parts(content_of(UseCase(draft.use_case), steps))
    except ContentInvalid as invalid:
        slugs = dict.fromkeys(step_of_part(part) for part in invalid.fields)
        by_slug = {each.step.slug: each.step.title for each in steps}
        return [
            {"text": f"{by_slug[slug]}: answer this step", "href": _step(draft, slug)}
            for slug in slugs
            if slug in by_slug
        ]
    return []


def _card(draft: RequestDraft, read: ReadStep) -> dict[str, Any]:
    return {"title": read.step.title, "rows": summary_rows(read), "address": _step(draft, read.step.slug)}


def _patient(draft: RequestDraft) -> str:
    return reverse("referrals:request-patient", args=[draft.pk]) + "?back=check"


def _step(draft: RequestDraft, slug: str) -> str:
    return reverse("referrals:request-step", args=[draft.pk, slug]) + "?back=check"


@require_http_methods(["GET", "POST"])
@permission_required(SEND)
@of_draft
def check(request: HttpRequest, draft: RequestDraft) -> HttpResponse:
    steps, details = read_draft(draft, asked_of(draft)), patient_of(draft)
    problems = problems_of(draft, steps, details)
    reason = ReasonForm(request.POST if request.method == "POST" else None) if draft.replaces else None
    ready = details is not None and not problems and (reason is None or reason.is_valid())
    if request.method == "GET" or details is None or not ready:
        return answers_page(request, draft, steps, details, problems, reason)
    content = content_of(UseCase(draft.use_case), steps)
    return _send(request, draft, content, details, reason.cleaned_data if reason else {})


def _send(
    request: HttpRequest,
    draft: RequestDraft,
    content: RequestContent,
    details: PatientDetails,
    again: Mapping[str, str],
) -> HttpResponse:
    if draft.updates is None:
        # A draft may be days old, and what the service said then too old to count.
        read_capability(
            client_for_page(request),
            service=draft.service,
            sender=sender_identity(acting_of(request)),
            now=clock(),
        )
    changed: Case | None = draft.updates or draft.replaces
    try:
        case = drafts.send_draft(
            draft=draft,
            content=content,
            details=details,
            acting=acting_of(request),
            now=clock(),
            latest=latest_of(request, changed) if changed else None,
            reason=again.get("reason", ""),
            reassessed=again.get("reassessed", ""),
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


@require_safe
@permission_required(VIEW[Direction.SENT])
def outcome(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case, acting, now = sent_case_of(request, case_id), acting_of(request), clock()
    viewing.record_case_view(case=case, acting=acting, now=now)
    page = confirmation(case, acting=acting, now=now)
    return render(request, "referrals/request/outcome.jinja", {"page": page})


@require_safe
@permission_required(VIEW[Direction.SENT])
def outcome_status(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The fragment that a waiting page asks for every two seconds; a settled case reloads the page."""
    case = sent_case_of(request, case_id)
    if not is_waiting(case):
        return reloaded()
    page = confirmation(case, acting=acting_of(request), now=clock())
    return render(request, "referrals/request/_working.jinja", {"page": page})


@require_POST
@permission_required(SEND)
def outcome_again(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case = sent_case_of(request, case_id)
    try:
        wait_for_case(outcomes.check_again(case=case, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, "Somebody checked this at the same moment. This is how it stands now.")
    return redirect("referrals:confirmation", case_id)
