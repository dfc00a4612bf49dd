"""Patient, approval and check-your-answers: everything typed stays on the server until it is sent."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of, clinicians_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused, why_not
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.presenters import patient_rows, untraced_words
from bars_portal.patients.typed import answers_of_test_patient, test_patients, typed_answers
from bookings.forms.bookings import ApprovalForm, ReassessedForm
from bookings.models import BookingDraft
from bookings.policies import check_can_use_draft, frame_missed_by, lacks_approval
from bookings.presenters.slots import appointment_rows, lateness
from bookings.selectors.sent import rebooking_of
from bookings.services.requesting import approve_time, discard_draft, request_booking, save_draft_patient
from bookings.services.settling import wait_for_outcome
from bookings.states import BookingStatus
from bookings.views.common import (
    ask_first,
    clock,
    of_draft,
    redirect_to_next_step,
    redirect_to_outcome,
    today,
)


def patient_form(draft: BookingDraft) -> PatientForm:
    """The draft's answers as a form; nothing typed yet: an empty, unbound one."""
    return PatientForm(draft.patient_data or None, today=today())


def patient_of(draft: BookingDraft) -> PatientDetails | None:
    """For the banner: once enough is typed to say who it is."""
    form = patient_form(draft)
    return form.to_details() if form.is_bound and form.is_valid() else None


@require_http_methods(["GET", "POST"])
@permission_required("bookings.book_slot")
@of_draft
def patient(request: HttpRequest, draft: BookingDraft) -> HttpResponse:
    if request.method == "GET":
        context = {
            "form": patient_form(draft),
            "draft": draft,
            "summary": appointment_rows(draft),
            "test_patients": test_patients(),
        }
        return render(request, "bookings/patient.jinja", context)
    save_draft_patient(draft=draft, patient_data=_typed(request), now=clock())
    form = patient_form(draft)
    if "test_patient" in request.POST or not form.is_valid():
        # A test patient is filled in for the person to look at, never sent on unseen. Either way the answer
        # is a page that the back button can show again.
        return redirect("bookings:patient", draft.pk)
    return redirect("bookings:check", draft.pk)


def _typed(request: HttpRequest) -> dict[str, str]:
    known = {str(number): each for number, each in enumerate(getattr(settings, "TEST_PATIENTS", ()))}
    chosen = known.get(request.POST.get("test_patient", ""))
    return typed_answers(request.POST) if chosen is None else answers_of_test_patient(chosen)


@require_http_methods(["GET", "POST"])
@permission_required("bookings.book_slot")
@of_draft
def check(request: HttpRequest, draft: BookingDraft) -> HttpResponse:
    form = patient_form(draft)
    if lacks_approval(draft) or _has_old_one(draft):
        return redirect_to_next_step(draft)
    if not form.is_bound or not form.is_valid():
        return redirect("bookings:patient", draft.pk)
    asked = _reassessed_form(request, draft)
    if request.method == "GET" or (asked is not None and not asked.is_valid()):
        details = form.to_details()
        context = {
            "draft": draft,
            "reassessed": asked,
            "summary": appointment_rows(draft),
            "details": details,
            "patient": patient_rows(details),
            "untraced": untraced_words(details),
            "late": lateness(draft, frame_missed_by(draft)),
            "obstacle": _obstacle(request, draft),
        }
        return render(request, "bookings/check.jinja", context)
    return _send(request, draft, form, asked.cleaned_data["reassessed"] if asked else "")


def _reassessed_form(request: HttpRequest, draft: BookingDraft) -> ReassessedForm | None:
    """Asked once, where a rebooking begins: here, when the old appointment was cancelled before it."""
    if draft.replaces is None or rebooking_of(draft.replaces) is not None:
        return None
    return ReassessedForm(request.POST if request.method == "POST" else None)


def _has_old_one(draft: BookingDraft) -> bool:
    """The appointment that it is to replace still stands: that one is cancelled first."""
    return draft.replaces is not None and draft.replaces.status == BookingStatus.BOOKED


def _obstacle(request: HttpRequest, draft: BookingDraft) -> str:
    """Why the button could only be refused; "" when it can be pressed."""
    return why_not(lambda: check_can_use_draft(acting_of(request), draft, clock()))


def _send(request: HttpRequest, draft: BookingDraft, form: PatientForm, reassessed: str) -> HttpResponse:
    # A draft may be as old as a day, and what the service said then too old to count.
    ask_first(request, draft.service)
    try:
        booking = request_booking(
            draft=draft,
            details=form.to_details(),
            acting=acting_of(request),
            now=clock(),
            reassessed=reassessed,
        )
    except PolicyRefused as refusal:
        if refusal.sentence != _obstacle(request, draft):
            messages.error(request, refusal.sentence)
        return redirect("bookings:check", draft.pk)
    wait_for_outcome(booking)
    return redirect_to_outcome(booking)


@require_POST
@permission_required("bookings.book_slot")
@of_draft
def discard(request: HttpRequest, draft: BookingDraft) -> HttpResponse:
    discard_draft(draft=draft)
    messages.success(request, "Nothing was booked. What you typed has been deleted.")
    return redirect("home")


@require_http_methods(["GET", "POST"])
@permission_required("bookings.book_slot")
@of_draft
def approval(request: HttpRequest, draft: BookingDraft) -> HttpResponse:
    frame = frame_missed_by(draft)
    if frame is None:
        return redirect_to_next_step(draft)
    acting = acting_of(request)
    alone = acting.may("bookings.book_outside_time_frame")
    known = {} if alone else {str(each.pk): each for each in clinicians_of(acting.organisation)}
    offered = None if alone else [(key, name_of(each)) for key, each in known.items()]
    form = ApprovalForm(request.POST if request.method == "POST" else None, clinicians=offered)
    if request.method == "POST" and form.is_valid():
        approver = acting.user if alone else known[form.cleaned_data["approver"]]
        return _approve(request, draft, approver, form.cleaned_data["reason"])
    context = {
        "draft": draft,
        "form": form,
        "frame": frame,
        "summary": appointment_rows(draft),
        "alone": alone,
        "patient": patient_of(draft),
    }
    return render(request, "bookings/approval.jinja", context)


def _approve(request: HttpRequest, draft: BookingDraft, approver: User, reason: str) -> HttpResponse:
    try:
        approve_time(draft=draft, approver=approver, reason=reason, acting=acting_of(request), now=clock())
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect_to_next_step(draft)
