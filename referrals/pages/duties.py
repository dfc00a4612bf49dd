"""Duties in words: the list of them, one of them, and what is done with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import Acting, acting_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.forms import NHSForm, TextareaField
from bars_portal.nhsuk.pages import RowPaginator
from bars_portal.nhsuk.words import listed_name
from bars_portal.patients.presenters import banner
from bookings.models import Booking
from bookings.services.history import record_view
from referrals.cases.codes import priority_words
from referrals.cases.duties import (
    OUTCOME_LENGTH,
    Duty,
    DutyKind,
    can_see_to,
    close_duty,
    duty_for,
    give_back_duty,
    open_duties,
    take_duty,
)
from referrals.cases.history import record_case_view
from referrals.cases.policies import SEND, VIEW
from referrals.cases.selectors import sent_in
from referrals.cases.views import clock

_NEXT: Mapping[DutyKind, str] = {
    DutyKind.REJECTED: "Nobody there looks after the patient. Decide what happens now, and do it.",
    DutyKind.AMBULANCE: "Send it within the time of the category that the service gave.",
    DutyKind.UNCLEAR: "Call the service and ask.",
    DutyKind.NON_ATTENDANCE: "Find out how the patient is, and whether they still need to be seen.",
    DutyKind.UPDATE: (
        "Another service has found a danger or a concern that the ambulance control was not told of. Send it "
        "an update."
    ),
    DutyKind.REFERRAL: (
        "The service has the appointment and nothing about the patient’s health. Send the referral that goes "
        "with it."
    ),
}


@dataclass(frozen=True)
class DutyLine:
    """`holder` is "" while nobody has taken it; by `raised` a form tells of which news its page knew."""

    duty: Duty
    what: str
    advice: str
    patient: str
    about: str
    href: str
    holder: str
    is_mine: bool
    is_open: bool
    can_see_to: bool
    raised: str
    closed_by: str
    # Where the referral of an appointment is written: anew in the place of one that stands with another
    # appointment, where there is one.
    refer: str


def duty_lines(duties: Iterable[Duty], *, acting: Acting) -> list[DutyLine]:
    return [duty_line(each, acting=acting) for each in duties]


def duty_line(duty: Duty, *, acting: Acting) -> DutyLine:
    subject, kind = duty.subject, DutyKind(duty.kind)
    patient, closer = subject.patient, duty.closed_by
    return DutyLine(
        duty=duty,
        what=kind.label,
        advice=_NEXT[kind],
        patient=listed_name(patient.family_name, patient.given_names, patient.died),
        about=_about(duty),
        href=_href(subject),
        holder=name_of(duty.taken_by) if duty.taken_by else "",
        is_mine=duty.taken_by_id == acting.user.pk,
        is_open=duty.closed_at is None,
        can_see_to=can_see_to(acting, duty),
        raised=duty.raised_at.isoformat(),
        closed_by=name_of(closer) if closer else "Settled by itself",
        refer=refer_page(subject) if isinstance(subject, Booking) else "",
    )


def refer_page(booking: Booking) -> str:
    old = sent_in(booking.journey).left_behind(booking)
    query = {"again": str(old.pk)} if old else {"booking": str(booking.pk)}
    return reverse("referrals:new", query=query)


def _about(duty: Duty) -> str:
    subject = duty.subject
    if isinstance(subject, Booking):
        return f"{subject.service.name}, appointment on {dates.format_datetime(subject.start)}"
    if duty.kind == DutyKind.AMBULANCE and duty.reply is not None:
        return f"{subject.service.name}: {priority_words(duty.reply.priority).lower()}"
    return subject.service.name


def _href(subject: object) -> str:
    if isinstance(subject, Booking):
        return reverse("bookings:detail", args=[subject.pk])
    return reverse("referrals:sent-case", args=[getattr(subject, "pk", None)])


def _moment(text: str) -> datetime | None:
    """`DutyLine.raised` as a form sends it back."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


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
    context = {"page": page, "lines": duty_lines(page.object_list, acting=acting)}
    return render(request, "referrals/duties.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.SENT])
def duty(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    """What it is about, and closing it."""
    found, acting = _duty(request, duty_id), acting_of(request)
    line = duty_line(found, acting=acting)
    form = CloseForm(request.POST if request.method == "POST" and line.can_see_to else None)
    if form.is_bound and form.is_valid():
        return _close(request, found, form.cleaned_data["outcome"])
    _record_look(request, found)
    context = {"line": line, "form": form, "banner": banner(found.subject.patient)}
    return render(request, "referrals/duty.jinja", context)


def _close(request: HttpRequest, found: Duty, outcome: str) -> HttpResponse:
    acting, read = acting_of(request), _moment(request.POST.get("raised", ""))
    if read is None:
        return redirect("referrals:duty", found.pk)
    try:
        close_duty(duty=found, raised_at=read, outcome=outcome, acting=acting, now=clock())
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("referrals:duty", found.pk)
    messages.success(request, "The task is closed.")
    return redirect("referrals:duties")


@require_POST
@permission_required(SEND)
def take(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    return _done(request, duty_id, take_duty, "The task is yours.")


@require_POST
@permission_required(SEND)
def give_back(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    return _done(request, duty_id, give_back_duty, "The task is nobody’s again.")


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
