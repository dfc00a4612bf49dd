"""The steps of a request: the list of tasks, and one page each."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.decorators import permission_required
from bars_portal.patients.typed import answers_of_test_patient, test_patients
from bars_portal.patients.typed import typed_answers as typed_patient
from directory.capability import USE_CASE_WORDS
from referrals.cases.policies import SEND
from referrals.cases.views import clock
from referrals.forms.base import FormContext, Step, Typed, lists_of
from referrals.forms.steps import (
    BY_SLUG,
    DONE,
    ReadStep,
    read_step,
    rows_of,
    steps_not_needed,
    typed_of_post,
    with_row,
    without_row,
)
from referrals.sending import drafts
from referrals.sending.models import RequestDraft
from referrals.sending.presenters import TaskLine, by_section, status_of
from referrals.sending.start import PATIENT
from referrals.sending.views.lookup import asked_of, of_draft, patient_form, patient_of, read_draft

# Where a page was left from: "check your answers" gets the person back.
BACK = "back"


@require_safe
@permission_required(SEND)
@of_draft
def tasks(request: HttpRequest, draft: RequestDraft) -> HttpResponse:
    asked = asked_of(draft)
    context = {
        "draft": draft,
        "kind": USE_CASE_WORDS[asked.use_case],
        "sections": by_section(
            [*_patient_line(draft), *(_line(draft, each) for each in read_draft(draft, asked))]
        ),
        "not_needed": [each.title for each in steps_not_needed(asked)],
        "patient": patient_of(draft),
    }
    return render(request, "referrals/request/tasks.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(SEND)
@of_draft
def patient(request: HttpRequest, draft: RequestDraft) -> HttpResponse:
    if draft.replaces is not None:
        # A referral that takes another's place is about the same patient.
        return redirect("referrals:request", draft.pk)
    if request.method == "POST":
        known = {str(number): each for number, each in enumerate(getattr(settings, "TEST_PATIENTS", ()))}
        chosen = known.get(request.POST.get("test_patient", ""))
        typed = answers_of_test_patient(chosen) if chosen else typed_patient(request.POST)
        answers = typed if chosen else {**typed, DONE: "1"}
        drafts.save_request_step(draft=draft, step=PATIENT, answers=answers, now=clock())
        if not chosen and patient_form(draft).is_valid():
            return _onwards(request, draft)
        # Mistakes are told by a page that the back button can show again.
        return redirect(request.get_full_path())
    context = {"draft": draft, "form": patient_form(draft), "test_patients": test_patients()}
    return render(request, "referrals/request/patient.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(SEND)
@of_draft
def step(request: HttpRequest, draft: RequestDraft, slug: str) -> HttpResponse:
    asked, found = asked_of(draft), BY_SLUG.get(slug)
    if found is None or not found.is_needed(asked):
        raise Http404
    if request.method == "POST":
        typed = _pressed(request, found, asked)
        drafts.save_request_step(draft=draft, step=slug, answers=typed, now=clock())
        if DONE not in typed:
            return redirect(_address(request, draft, slug) + f"#row-{rows_of(found, typed, asked)}")
        if read_step(found, draft.typed.get(slug), asked).is_valid:
            return _onwards(request, draft)
        return redirect(_address(request, draft, slug))
    return _page(request, draft, read_step(found, draft.typed.get(slug), asked))


def _pressed(request: HttpRequest, step: Step, asked: FormContext) -> Typed:
    """What is kept after a press of Add, Remove or Continue."""
    typed = typed_of_post(step, request.POST, asked)
    if "add" in request.POST:
        return with_row(step, typed, asked)
    if "remove" in request.POST:
        return without_row(step, typed, asked, request.POST["remove"])
    return {**typed, DONE: "1"}


def _page(request: HttpRequest, draft: RequestDraft, read: ReadStep) -> HttpResponse:
    if not read.done:
        for form in read.said:
            form.quiet()
    context = {
        "draft": draft,
        "read": read,
        "step": read.step,
        "can_add": read.can_grow,
        "lists": lists_of([read.form, *read.rows[:1]]),
        "problems": [{"text": each.text, "href": each.href} for each in read.problems],
        "patient": patient_of(draft),
        "back": request.GET.get(BACK, ""),
    }
    return render(request, "referrals/request/step.jinja", context)


def _onwards(request: HttpRequest, draft: RequestDraft) -> HttpResponse:
    page = "referrals:request-check" if request.GET.get(BACK) == "check" else "referrals:request"
    return redirect(page, draft.pk)


def _address(request: HttpRequest, draft: RequestDraft, slug: str) -> str:
    address = reverse("referrals:request-step", args=[draft.pk, slug])
    return f"{address}?{BACK}=check" if request.GET.get(BACK) == "check" else address


def _patient_line(draft: RequestDraft) -> list[TaskLine]:
    if draft.replaces is not None:
        return []
    form, opened = patient_form(draft), bool(draft.typed.get(PATIENT))
    valid = form.is_bound and form.is_valid()
    status = status_of(opened=opened, done=DONE in draft.typed.get(PATIENT, {}), valid=valid, required=True)
    address = reverse("referrals:request-patient", args=[draft.pk])
    return [TaskLine("Patient", "Patient and call-back", address, status)]


def _line(draft: RequestDraft, read: ReadStep) -> TaskLine:
    status = status_of(
        opened=read.form.is_bound,
        done=read.done,
        valid=read.is_valid,
        required=read.is_required,
    )
    address = reverse("referrals:request-step", args=[draft.pk, read.step.slug])
    return TaskLine(read.step.section, read.step.title, address, status)
