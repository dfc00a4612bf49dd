"""Sharing the work on received cases: take over, give back, notes, and answers that did not arrive."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from referrals.answer_forms import NoteForm
from referrals.models import CaseAnswer
from referrals.permissions import ANSWER, WORK
from referrals.services import answering
from referrals.states import TransitionRefused
from referrals.views.lookup import answer_of, clock, received_case_of
from referrals.views.received import page_of, shown
from referrals.views.waiting import wait_for_answer


@require_POST
@permission_required(WORK)
def take(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """From whoever had it when the page was shown."""
    case, acting = received_case_of(request, case_id), acting_of(request)
    if case.assigned_to == acting.user:
        return redirect("referrals:received", case_id)
    seen = (
        case.assigned_to if str(case.assigned_to_id or "") == request.POST.get("holder", "") else acting.user
    )
    return _shared(
        request,
        case_id,
        "The case is yours.",
        lambda: answering.assign_case(case=case, to=acting.user, seen=seen, acting=acting, now=clock()),
    )


@require_POST
@permission_required(WORK)
def release(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Nobody's again; only by the person who has it."""
    case, acting = received_case_of(request, case_id), acting_of(request)
    if case.assigned_to is None:
        return redirect("referrals:received", case_id)
    return _shared(
        request,
        case_id,
        "The case is nobody's again.",
        lambda: answering.unassign_case(case=case, seen=acting.user, acting=acting, now=clock()),
    )


def _shared(request: HttpRequest, case_id: UUID, done: str, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
        messages.success(request, done)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    return redirect("referrals:received", case_id)


@require_POST
@permission_required(WORK)
def note(request: HttpRequest, case_id: UUID) -> HttpResponse:
    page, form = page_of(request, case_id), NoteForm(request.POST)
    if not form.is_valid():
        return shown(request, page, form)
    text = form.cleaned_data["text"]
    return _shared(
        request,
        case_id,
        "The note is kept.",
        lambda: answering.add_note(case=page.case, text=text, acting=acting_of(request), now=clock()),
    )


@require_POST
@permission_required(ANSWER)
def check_answer(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Of an answer that may have arrived: the very same message once more."""
    return _repeated(request, answer_of(request, answer_id), answering.check_answer_again)


@require_POST
@permission_required(ANSWER)
def send_answer(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Of an answer that was not taken: a new message."""
    return _repeated(request, answer_of(request, answer_id), answering.send_answer_again)


def _repeated(request: HttpRequest, answer: CaseAnswer, again: Callable[..., CaseAnswer]) -> HttpResponse:
    try:
        wait_for_answer(again(answer=answer, acting=acting_of(request), now=clock()))
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, "Somebody did this at the same moment. This is how it stands now.")
    return redirect("referrals:received", answer.case.pk)
