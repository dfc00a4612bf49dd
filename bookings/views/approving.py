"""A time outside the assessment's time frame: a clinician confirms it, or a clerk names the one who does."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from bars_portal.accounts.acting import acting_of, clinicians_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.models import User
from bars_portal.accounts.refusals import PolicyRefused
from bookings import services
from bookings.forms import ApprovalForm
from bookings.models import BookingDraft
from bookings.policies import frame_missed_by
from bookings.presenters import draft_summary
from bookings.views.drafting import patient_of
from bookings.views.lookup import clock, draft_of
from bookings.views.next_step import redirect_to_next_step


@require_http_methods(["GET", "POST"])
@permission_required("bookings.book_slot")
def approval(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    draft = draft_of(request, draft_id)
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
        "summary": draft_summary(draft),
        "alone": alone,
        "patient": patient_of(draft),
    }
    return render(request, "bookings/approval.jinja", context)


def _approve(request: HttpRequest, draft: BookingDraft, approver: User, reason: str) -> HttpResponse:
    try:
        services.approve_time(
            draft=draft, approver=approver, reason=reason, acting=acting_of(request), now=clock()
        )
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect_to_next_step(draft)
