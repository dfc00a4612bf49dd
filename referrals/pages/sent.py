"""One case that we sent: how it stands there, what came back, what can be done; and taking it back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import Acting, acting_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused, why_not
from bars_portal.correspondence.explanations import trying_words
from bars_portal.correspondence.history import Step
from bars_portal.correspondence.latest import Latest
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange import outbox
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextareaField
from bookings.policies import can_book
from referrals.cases import history
from referrals.cases.codes import priority_words
from referrals.cases.duties import duties_about
from referrals.cases.links import Link, bookings_of, carried_from, has_appointment
from referrals.cases.models import Case, Referral
from referrals.cases.policies import SEND, VIEW
from referrals.cases.selectors import replies_of, reply_for
from referrals.cases.states import CaseStatus, Category
from referrals.cases.views import clock, reloaded, sent_case_of, whole_number
from referrals.cases.words import (
    CATEGORIES,
    CasePage,
    Row,
    due_label,
    history_lines,
    use_case_words,
)
from referrals.message_page.page import shown_message
from referrals.pages.duties import DutyLine, duty_lines
from referrals.pages.messages import HeardLine, heard_line
from referrals.parts.applications import application_for
from referrals.sending import outcomes, policies, taking_back
from referrals.sending.latest import is_taken_back
from referrals.sending.policies import check_can_take_back
from referrals.sending.selectors import unsent_update_of
from referrals.sending.views.begin import latest_of, wait_for_case

_HEADINGS: Mapping[CaseStatus, str] = {
    CaseStatus.REQUESTED: "Sending",
    CaseStatus.SENT: "Sent",
    CaseStatus.REFUSED: "Not sent",
    CaseStatus.UNKNOWN: "We do not know yet whether this arrived",
    CaseStatus.REVOKING: "Taking it back",
    CaseStatus.REVOKE_UNKNOWN: "We do not know yet whether this is taken back",
    CaseStatus.ACCEPTED: "Accepted by the service",
    CaseStatus.IN_PROGRESS: "The service has started",
    CaseStatus.COMPLETED: "Completed by the service",
    CaseStatus.REJECTED: "Rejected by the service",
    CaseStatus.DID_NOT_ATTEND: "The patient did not attend",
    CaseStatus.REVOKED: "Taken back",
    CaseStatus.ENTERED_IN_ERROR: "Entered in error",
}
_WORKING = (CaseStatus.REQUESTED, CaseStatus.REVOKING)
_UNKNOWN = (CaseStatus.UNKNOWN, CaseStatus.REVOKE_UNKNOWN)


@dataclass(frozen=True)
class SentPage(CasePage):
    """Everything that the page of one sent case shows."""

    heading: str
    asked: list[Row]
    replies: list[HeardLine]
    links: list[Link]
    carried_from: Case | None
    history: list[Step]
    can_take_back: bool
    cannot_take_back: str
    can_check_again: bool
    can_update: bool
    can_refer_again: bool
    can_book: bool
    is_working: bool
    trying: str
    duties: list[DutyLine]
    # To an ambulance control, which is told of each critical fact; and what somebody has begun to tell it.
    tells_critical: bool
    unsent_update: str

    @property
    def is_unknown(self) -> bool:
        return self.case.status in _UNKNOWN or self.can_check_again

    @property
    def is_refused(self) -> bool:
        return self.case.status == CaseStatus.REFUSED

    @property
    def outcome_due(self) -> bool:
        """Where it came from is a validation, and its requester waits for the outcome."""
        origin = self.carried_from
        return origin is not None and origin.category is Category.VALIDATION and origin.is_current

    @property
    def carried_from_kind(self) -> str:
        return CATEGORIES[self.carried_from.category] if self.carried_from else ""


def sent_page(case: Case, *, acting: Acting, now: datetime) -> SentPage:
    status = CaseStatus(case.status)
    linked = bookings_of(case) if isinstance(case, Referral) else []
    cannot = why_not(lambda: policies.check_can_take_back(acting, case))
    origin = carried_from(case) if acting.may(VIEW[Direction.RECEIVED]) else None
    return SentPage(
        case=case,
        now=now,
        heading=f"{CATEGORIES[case.category]}: {_HEADINGS.get(status, status.label).lower()}",
        asked=_asked(case),
        # The last one counts, so it comes first.
        replies=[heard_line(case, each) for each in replies_of(case)][::-1],
        links=linked,
        carried_from=origin,
        history=history_lines(case),
        can_take_back=not cannot,
        cannot_take_back=cannot,
        can_check_again=policies.can_check_again(acting, case),
        can_update=policies.can_update(acting, case),
        can_refer_again=isinstance(case, Referral) and policies.can_refer_again(acting, case),
        # Not while nobody knows whether the service has it, or while it is taken back; nor a second one.
        can_book=case.is_current and not has_appointment(linked) and can_book(acting, case.service),
        is_working=is_on_its_way(case),
        trying=trying_words(outbox.trying(case), now=now),
        tells_critical=application_for(case.use_case, case.category).is_ambulance,
        unsent_update=_unsent_update(case, now),
        duties=duty_lines(duties_about(acting, case), acting=acting),
    )


def _unsent_update(case: Case, now: datetime) -> str:
    draft = unsent_update_of(case)
    if draft is None:
        return ""
    began = dates.format_moment(draft.created_at, now)
    return f"{name_of(draft.user)} began an update at {began} that is not sent."


def is_on_its_way(case: Case) -> bool:
    """The request, its end or an update of it waits for an answer: the page keeps asking."""
    if case.status in _WORKING:
        return True
    waits = outbox.unsettled(case) is not None and outbox.waiting_for_check(case) is None
    return case.has_update_pending and waits


def _asked(case: Case) -> list[Row]:
    rows = [
        ("What is asked", use_case_words(case.use_case)),
        ("Service", case.service.name),
        ("Priority", priority_words(case.priority)),
        (due_label(CaseStatus(case.status)), dates.format_datetime(case.breach_at) if case.breach_at else ""),
        ("Their reference", case.reference or "None yet"),
        # Without a number of our own the id stands in for it on the wire, and says nothing to people.
        ("Our case number", "" if case.case_number == str(case.pk) else case.case_number),
        ("Sent", dates.format_datetime(case.created_at)),
        ("Why it was taken back", case.end_reason),
    ]
    needed = ("What is asked", "Priority", "Due by")
    return [{"key": key, "value": value} for key, value in rows if value or key in needed]


_MEANWHILE = "Somebody changed this case at the same moment. This is how it stands now."


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case, acting, now = sent_case_of(request, case_id), acting_of(request), clock()
    history.record_case_view(case=case, acting=acting, now=now)
    context = {"page": sent_page(case, acting=acting, now=now), "printing": "print" in request.GET}
    return render(request, "referrals/sent.jinja", context)


@require_safe
@permission_required(VIEW[Direction.SENT])
def case_reply(request: HttpRequest, case_id: UUID, reply_id: int) -> HttpResponse:
    """One reply with all that it says."""
    case, acting, now = sent_case_of(request, case_id), acting_of(request), clock()
    found = reply_for(case, reply_id)
    if found is None:
        raise Http404
    history.record_case_view(case=case, acting=acting, now=now)
    context = {
        "page": sent_page(case, acting=acting, now=now),
        "lines": [heard_line(case, found)],
        "message": shown_message(found.message, now),
    }
    return render(request, "referrals/heard.jinja", context)


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_status(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The fragment that a waiting page asks for every two seconds; a settled case reloads it."""
    case = sent_case_of(request, case_id)
    if not is_on_its_way(case):
        return reloaded()
    page = sent_page(case, acting=acting_of(request), now=clock())
    return render(request, "referrals/_sent_working.jinja", {"page": page})


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_news(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Says when something came back since the page was opened, and leaves it to the person to look."""
    case = sent_case_of(request, case_id)
    page = sent_page(case, acting=acting_of(request), now=clock())
    if len(page.history) <= whole_number(request.GET.get("steps", ""), default=len(page.history)):
        return HttpResponse(status=204)
    return render(request, "referrals/_sent_news.jinja", {"page": page})


@require_POST
@permission_required(SEND)
def check_case_again(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case = sent_case_of(request, case_id)
    try:
        wait_for_case(outcomes.check_again(case=case, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, _MEANWHILE)
    return redirect("referrals:sent-case", case_id)


REVOKED, IN_ERROR = "revoked", "entered-in-error"


class TakeBackForm(NHSForm):
    how = RadiosField(
        label="Why is it taken back?",
        options=[
            (REVOKED, "Circumstances changed: it is no longer needed"),
            (IN_ERROR, "It was sent by mistake: it never should have been"),
        ],
        missing="Select why it is taken back",
    )
    reason = TextareaField(
        label="The reason in a few words",
        missing="Enter the reason in a few words",
        max_length=300,
        rows=3,
    )


@require_http_methods(["GET", "POST"])
@permission_required(SEND)
def take_back(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Reads the latest from the receiver first, says what it says, asks once, then sends."""
    case = sent_case_of(request, case_id)
    try:
        check_can_take_back(acting_of(request), case)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("referrals:sent-case", case_id)
    form = TakeBackForm(request.POST if request.method == "POST" else None)
    latest = latest_of(request, case)
    if is_taken_back(latest):
        # Only our record is behind: nothing has to be sent.
        return _end(request, case, latest, taking_back.revoke_request, "", found=True)
    if request.method == "POST" and form.is_valid() and latest.can_be_changed:
        mistaken = form.cleaned_data["how"] == IN_ERROR
        end = taking_back.mark_entered_in_error if mistaken else taking_back.revoke_request
        return _end(request, case, latest, end, " ".join(form.cleaned_data["reason"].split()))
    history.record_case_view(case=case, acting=acting_of(request), now=clock())
    page = sent_page(case, acting=acting_of(request), now=clock())
    return render(request, "referrals/take_back.jinja", {"form": form, "page": page, "latest": latest})


def _end(
    request: HttpRequest,
    case: Case,
    latest: Latest,
    end: Callable[..., Case],
    reason: str,
    *,
    found: bool = False,
) -> HttpResponse:
    try:
        ended = end(case=case, latest=latest, reason=reason, acting=acting_of(request), now=clock())
        if found:
            messages.info(request, "It had been taken back at the service already.")
        wait_for_case(ended)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("referrals:sent-case", case.pk)
