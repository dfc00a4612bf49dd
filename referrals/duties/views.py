"""The list of duties, one of them, and what is done with it."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.forms import NHSForm, TextareaField
from bars_portal.nhsuk.pages import RowPaginator
from bars_portal.patients.presenters import banner
from bookings.models import Booking
from bookings.services.history import record_view
from referrals.cases.duties import OUTCOME_LENGTH, Duty
from referrals.cases.history import record_case_view
from referrals.cases.policies import SEND, VIEW
from referrals.cases.views import clock
from referrals.duties import presenters as presenter
from referrals.duties import services
from referrals.duties.selectors import duty_for, open_duties

_PAGE = 25


class CloseForm(NHSForm):
    outcome = TextareaField(
        label="What was done",
        hint="Colleagues read this. Nobody outside does.",
        missing="Enter what was done",
        max_length=OUTCOME_LENGTH,
        rows=3,
    )


@require_safe
@permission_required(VIEW[Direction.SENT])
def duties(request: HttpRequest) -> HttpResponse:
    acting = acting_of(request)
    page = RowPaginator(open_duties(acting), _PAGE).get_page(request.GET.get("page"))
    record(actor=acting.actor, action="referrals.view_duties", now=clock())
    context = {"page": page, "lines": presenter.lines(page.object_list, acting=acting)}
    return render(request, "referrals/duties.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.SENT])
def duty(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    """What it is about, and closing it."""
    found, acting = _duty(request, duty_id), acting_of(request)
    line = presenter.line(found, acting=acting)
    form = CloseForm(request.POST if request.method == "POST" and line.can_see_to else None)
    if form.is_bound and form.is_valid():
        return _close(request, found, form.cleaned_data["outcome"])
    _record_look(request, found)
    context = {"line": line, "form": form, "banner": banner(found.subject.patient)}
    return render(request, "referrals/duty.jinja", context)


def _close(request: HttpRequest, found: Duty, outcome: str) -> HttpResponse:
    acting, read = acting_of(request), presenter.moment(request.POST.get("raised", ""))
    if read is None:
        return redirect("referrals:duty", found.pk)
    try:
        services.close_duty(duty=found, raised_at=read, outcome=outcome, acting=acting, now=clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("referrals:duty", found.pk)
    messages.success(request, "The task is closed.")
    return redirect("referrals:duties")


@require_POST
@permission_required(SEND)
def take(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    return _done(request, duty_id, services.take_duty, "The task is yours.")


@require_POST
@permission_required(SEND)
def give_back(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    return _done(request, duty_id, services.give_back_duty, "The task is nobody’s again.")


def _done(request: HttpRequest, duty_id: UUID, act: Callable[..., Duty], done: str) -> HttpResponse:
    found = _duty(request, duty_id)
    try:
        act(duty=found, acting=acting_of(request), now=clock())
        messages.success(request, done)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    return redirect("referrals:duty", duty_id)


def _duty(request: HttpRequest, duty_id: UUID) -> Duty:
    found = duty_for(acting_of(request), duty_id)
    if found is None:
        raise Http404
    return found


def _record_look(request: HttpRequest, found: Duty) -> None:
    subject, acting = found.subject, acting_of(request)
    if isinstance(subject, Booking):
        record_view(booking=subject, acting=acting, now=clock())
    else:
        record_case_view(case=subject, acting=acting, now=clock())
