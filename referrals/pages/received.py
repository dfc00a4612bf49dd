"""One received case: who it is about, what is asked, how it stands, what can be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import Acting, acting_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.correspondence.history import Step
from bars_portal.correspondence.states import Direction
from referrals.cases import history
from referrals.cases.links import Link, bookings_of, can_link_referral, onward_requests_of, standing_onward
from referrals.cases.models import Case, CaseAnswer, CaseNote, Referral
from referrals.cases.policies import VIEW, WORK, can_work
from referrals.cases.selectors import notes_of, responses_of, version_for
from referrals.cases.states import CaseStatus, ReplyKind, ResponseState
from referrals.cases.views import clock, received_case_of, reloaded
from referrals.cases.words import (
    CATEGORIES,
    TONES,
    CasePage,
    Row,
    VersionLine,
    asked_rows,
    history_lines,
    version_lines,
)
from referrals.message_page.page import message_of, shown_message
from referrals.pages.local import AttemptForm, where_it_is
from referrals.responding import local
from referrals.responding.content import Disposition
from referrals.responding.forms import NoteForm
from referrals.responding.local import attempts_of, can_record_attempt
from referrals.responding.policies import Decision, can_decide
from referrals.responding.presenters import Actions, ResponseLine, actions_for, response_line
from referrals.responding.views import told_on_the_case
from referrals.sending.policies import can_refer_onward


@dataclass(frozen=True)
class OnwardLine:
    """One request of ours that carries the case on."""

    case: Case
    kind: str
    status: str
    tone: str


def onward_facts(acting: Acting, case: Case, answers: list[CaseAnswer], now: datetime) -> dict[str, Any]:
    """Fields of the page of a received case.

    `onward_untold`: it went onward, and nobody has completed it here. `onward_missing`: the requester was
    told that it went onward, and nothing was sent.
    """
    sent = onward_requests_of(case)
    standing = standing_onward(sent)
    return {
        "onward": [_line(each) for each in sent],
        "can_refer_onward": can_refer_onward(acting, case),
        "onward_untold": standing is not None and can_decide(acting, case, Decision.COMPLETE, now),
        "onward_missing": standing is None and _was_told_onward(answers),
    }


def _line(case: Case) -> OnwardLine:
    status = CaseStatus(case.status)
    return OnwardLine(case, CATEGORIES[case.category], status.label, TONES[status])


def _was_told_onward(answers: list[CaseAnswer]) -> bool:
    """By the full one that counts: the last."""
    told = next((each for each in reversed(answers) if each.kind == ReplyKind.FULL), None)
    return told is not None and told.content.get("disposition") == Disposition.ONWARD


@dataclass(frozen=True)
class ReceivedPage(CasePage):
    """Everything that the page of one received case shows. `seen`: its steps so far (decide_as_seen)."""

    asked: list[Row]
    actions: Actions
    answers: list[ResponseLine]
    notes: list[CaseNote]
    links: list[Link]
    can_link: bool
    onward: list[OnwardLine]
    can_refer_onward: bool
    onward_untold: bool
    onward_missing: bool
    versions: list[VersionLine]
    history: list[Step]
    can_work: bool
    is_mine: bool
    holder: str
    seen: int

    @property
    def is_sending(self) -> bool:
        return any(each.answer.state == ResponseState.SENDING for each in self.answers)


def received_page(case: Case, *, acting: Acting, now: datetime) -> ReceivedPage:
    holder, answers, steps = case.assigned_to, list(responses_of(case)), history_lines(case)
    return ReceivedPage(
        case=case,
        now=now,
        asked=asked_rows(case),
        actions=actions_for(acting, case, now),
        answers=[response_line(acting, each) for each in answers],
        notes=list(notes_of(case)),
        links=bookings_of(case) if isinstance(case, Referral) else [],
        can_link=isinstance(case, Referral) and can_link_referral(acting, case),
        **onward_facts(acting, case, answers, now),
        versions=version_lines(case),
        history=steps,
        can_work=can_work(acting, case),
        is_mine=holder is not None and holder.pk == acting.user.pk,
        holder=name_of(holder) if holder else "",
        seen=len(steps),
    )


def page_of(request: HttpRequest, case_id: UUID) -> ReceivedPage:
    return received_page(received_case_of(request, case_id), acting=acting_of(request), now=clock())


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def received(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """`?print=1`: the same on paper, without what can be pressed."""
    page = page_of(request, case_id)
    history.record_case_view(case=page.case, acting=acting_of(request), now=clock())
    return shown(request, page, NoteForm())


def shown(request: HttpRequest, page: ReceivedPage, note_form: NoteForm) -> HttpResponse:
    """The page, with the note being written; its errors are the page's."""
    context = {
        "page": page,
        "message": message_of(page.case, clock()),
        "note_form": note_form,
        "form": note_form if note_form.is_bound else None,
        "printing": "print" in request.GET,
        "where": where_it_is(page.case),
        "attempts": attempts_of(page.case),
        "attempt_form": AttemptForm(),
        "may_attempt": can_record_attempt(acting_of(request), page.case),
        "may_work": page.can_work and page.case.is_current,
    }
    return render(request, "referrals/received.jinja", context)


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def received_status(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Asked every two seconds while an answer is on its way; a settled one reloads the page."""
    page = page_of(request, case_id)
    if not page.is_sending:
        return reloaded()
    return render(request, "referrals/_response_working.jinja", {"page": page})


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def version(request: HttpRequest, case_id: UUID, number: int) -> HttpResponse:
    """The message of one version: what was known then."""
    page = page_of(request, case_id)
    found = version_for(page.case, number)
    if found is None:
        raise Http404
    history.record_case_view(case=page.case, acting=acting_of(request), now=clock())
    context = {
        "page": page,
        "shown": found,
        "message": shown_message(found.message, clock()),
    }
    return render(request, "referrals/version.jinja", context)


@require_POST
@permission_required(WORK)
def note(request: HttpRequest, case_id: UUID) -> HttpResponse:
    page, form = page_of(request, case_id), NoteForm(request.POST)
    if not form.is_valid():
        return shown(request, page, form)
    text = form.cleaned_data["text"]
    return told_on_the_case(
        request,
        case_id,
        "The note is kept.",
        lambda: local.add_note(case=page.case, text=text, acting=acting_of(request), now=clock()),
    )
