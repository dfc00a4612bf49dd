"""Requests that we sent: the list, one case with what came back, and taking it back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.exchange.gateway import get_client
from directory.remote import sender_identity
from referrals import services
from referrals.answer_forms import TakeBackForm
from referrals.answer_forms.short import IN_ERROR
from referrals.models import Case
from referrals.permissions import SEND, VIEW
from referrals.policies import check_can_take_back
from referrals.presenters import worklist as presenter
from referrals.presenters.received import shown_message
from referrals.presenters.replies import reply_line
from referrals.presenters.sent import is_on_its_way, sent_page
from referrals.remote import LatestRequest, read_latest
from referrals.selectors import breached_validations, open_unmatched_replies, reply_for, sent_cases
from referrals.states import CaseStatus, Category, Direction, TransitionRefused
from referrals.views.lookup import clock, sent_case_of, whole_number
from referrals.views.received import reloaded
from referrals.views.waiting import wait_for_case

_RECEIVED_ONLY = (CaseStatus.RECEIVED,)
_STATUSES = [(each.value, each.label) for each in CaseStatus if each not in _RECEIVED_ONLY]
_MOST_ALARMS = 10
_MEANWHILE = "Somebody changed this case at the same moment. This is how it stands now."


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_list(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), clock()
    status, kind = request.GET.get("status", ""), request.GET.get("kind", "")
    page = sent_cases(
        acting,
        status=CaseStatus(status) if status in set(CaseStatus) else None,
        category=Category(kind) if kind in set(Category) else None,
        page=whole_number(request.GET.get("page", ""), default=1),
    )
    overdue = breached_validations(acting, Direction.SENT, now=now)
    context = {
        "page": page,
        "lines": presenter.sent_lines(page.rows, now=now),
        "status": status if status in set(CaseStatus) else "",
        "kind": kind if kind in set(Category) else "",
        "statuses": _STATUSES,
        "overdue": presenter.overdue(overdue[:_MOST_ALARMS]),
        "overdue_count": overdue.count(),
        "unmatched": open_unmatched_replies(acting)[:_MOST_ALARMS],
    }
    record(actor=acting.actor, action="referrals.view_sent_list", now=now)
    return render(request, "referrals/sent_list.jinja", context)


@require_safe
@permission_required(VIEW[Direction.SENT])
def sent_case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    case, acting, now = sent_case_of(request, case_id), acting_of(request), clock()
    services.record_case_view(case=case, acting=acting, now=now)
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
    services.record_case_view(case=case, acting=acting, now=now)
    context = {
        "page": sent_page(case, acting=acting, now=now),
        "lines": [reply_line(case, found)],
        "message": shown_message(found.message, now),
    }
    return render(request, "referrals/case_reply.jinja", context)


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
        wait_for_case(services.check_again(case=case, acting=acting_of(request), now=clock()))
    except (PolicyRefused, TransitionRefused):
        messages.info(request, _MEANWHILE)
    return redirect("referrals:sent-case", case_id)


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
    latest = _latest(request, case)
    if request.method == "POST" and form.is_valid() and (latest.can_be_changed or latest.is_taken_back):
        return _send(request, case, form, latest)
    services.record_case_view(case=case, acting=acting_of(request), now=clock())
    page = sent_page(case, acting=acting_of(request), now=clock())
    return render(request, "referrals/take_back.jinja", {"form": form, "page": page, "latest": latest})


def _latest(request: HttpRequest, case: Case) -> LatestRequest:
    """One read over the wire, never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_latest(get_client(), case=case, sender=sender, now=clock())


def _send(request: HttpRequest, case: Case, form: TakeBackForm, latest: LatestRequest) -> HttpResponse:
    mistaken = form.cleaned_data["how"] == IN_ERROR
    end = services.mark_entered_in_error if mistaken else services.revoke_request
    try:
        ended = end(
            case=case,
            latest=latest,
            reason=" ".join(form.cleaned_data["reason"].split()),
            acting=acting_of(request),
            now=clock(),
        )
        wait_for_case(ended)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
    return redirect("referrals:sent-case", case.pk)
