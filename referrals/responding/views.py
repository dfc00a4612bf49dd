"""The kinds of responses: which form, which service, which words; and what needs no form."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused, why_not
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.nhsuk.forms import NHSForm
from referrals.cases.links import onward_words
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.policies import ANSWER, WORK
from referrals.cases.states import CaseStatus
from referrals.cases.views import clock, received_case_of, response_of_page
from referrals.cases.words import Row
from referrals.responding import decisions, delivery, local
from referrals.responding.content import Disposition
from referrals.responding.decisions import Decided
from referrals.responding.forms import (
    CadStatusForm,
    CompleteForm,
    NonAttendanceForm,
    PharmacyCompleteForm,
    RejectForm,
    ResponseForm,
)
from referrals.responding.local import is_contacted
from referrals.responding.outcome_form import OutcomeForm, symptoms_asked
from referrals.responding.policies import CAD_DECISIONS, Decision, can_decide, check_can_decide, is_told
from referrals.responding.presenters import content_rows
from referrals.responding.response_view import (
    ResponsePage,
    back_to_the_case,
    response_view,
    steps_seen,
    wait_for_response,
)


def _at_once(
    request: HttpRequest, case_id: UUID, decision: Decision, act: Callable[..., Decided], done: str
) -> HttpResponse:
    """What needs no form: one press; a second one finds it done."""
    case, acting = received_case_of(request, case_id), acting_of(request)
    try:
        decided = decisions.decide_as_seen(
            case=case,
            seen=steps_seen(request, case),
            act=lambda held: act(case=held, acting=acting, now=clock()),
        )
    except decisions.ChangedMeanwhile as changed:
        now_stands = received_case_of(request, case_id)
        over = why_not(lambda: check_can_decide(acting, now_stands, decision, clock()))
        return back_to_the_case(request, case, PolicyRefused(over or changed.sentence))
    except PolicyRefused as refusal:
        return back_to_the_case(request, case, refusal)
    wait_for_response(decided.answer)
    messages.success(request, done)
    return redirect("referrals:received", case.pk)


@require_POST
@permission_required(ANSWER)
def accept(request: HttpRequest, case_id: UUID) -> HttpResponse:
    return _at_once(request, case_id, Decision.ACCEPT, decisions.accept_referral, "The referral is accepted.")


@require_POST
@permission_required(ANSWER)
def start(request: HttpRequest, case_id: UUID) -> HttpResponse:
    return _at_once(request, case_id, Decision.START, decisions.start_case, "You have started on this case.")


def _rows(form: NHSForm) -> list[Row]:
    return content_rows(cast(ResponseForm, form).content())


def _form_of(
    form: type[ResponseForm], decision: Decision
) -> Callable[[QueryDict | None, HttpRequest, Case], NHSForm]:
    return lambda typed, request, case: form(typed, case=case, now=clock(), decision=decision)


def _saying(decide: Callable[..., Decided], what: str) -> Callable[[HttpRequest, Case, NHSForm], Decided]:
    """The service, given what the form says under the name of its argument."""

    def act(request: HttpRequest, case: Case, form: NHSForm) -> Decided:
        said = {what: cast(ResponseForm, form).content()}
        return decide(case=case, acting=acting_of(request), now=clock(), **said)

    return act


_REJECT = ResponsePage(
    decision=Decision.REJECT,
    title="Reject this case",
    button="Reject the case",
    done="The case is rejected.",
    template="referrals/response_form.jinja",
    make_form=_form_of(RejectForm, Decision.REJECT),
    rows=_rows,
    act=_saying(decisions.reject_case, "rejection"),
    variant="warning",
)
reject = response_view(lambda case: _REJECT)


def _outcome_page(case: Case) -> ResponsePage:
    revising = case.status == CaseStatus.COMPLETED
    decision = Decision.REVISE if revising else Decision.COMPLETE
    verb = "Send" if is_told(case, decision) else "Keep"
    return ResponsePage(
        decision=decision,
        title="Correct the outcome" if revising else "Give the outcome",
        button=f"{verb} the corrected outcome" if revising else f"{verb} the outcome",
        done="The corrected outcome is given." if revising else "The outcome is given.",
        template="referrals/outcome_form.jinja",
        make_form=lambda typed, request, case: OutcomeForm(
            typed, case=case, now=clock(), decision=decision, initial=_known_outcome(case)
        ),
        rows=_rows,
        act=_saying(decisions.revise_validation if revising else decisions.complete_validation, "outcome"),
    )


def _known_outcome(case: Case) -> dict[str, str]:
    """The symptoms of the request; of a case that went onward from here, that too."""
    words = onward_words(case)
    known = symptoms_asked(case)
    if words:
        known |= {
            "disposition": Disposition.ONWARD.value,
            "priority": ARPPriority.C5.value,
            "narrative": words,
        }
    return known


outcome = response_view(_outcome_page)


def _words_of(form: NHSForm) -> str:
    return form.said() if isinstance(form, PharmacyCompleteForm) else str(form.cleaned_data["words"]).strip()


def _complete(request: HttpRequest, case: Case, form: NHSForm) -> Decided:
    words = _words_of(form)
    return decisions.complete_referral(case=case, words=words, acting=acting_of(request), now=clock())


def _done_rows(form: NHSForm) -> list[Row]:
    return [{"key": "What was done", "value": _words_of(form)}]


def _complete_form(case: Case) -> type[CompleteForm]:
    return PharmacyCompleteForm if is_contacted(case) else CompleteForm


_COMPLETE = ResponsePage(
    decision=Decision.COMPLETE,
    title="Complete this referral",
    button="Complete the referral",
    done="The referral is completed.",
    template="referrals/response_form.jinja",
    make_form=lambda typed, request, case: _complete_form(case)(
        typed, case=case, now=clock(), decision=Decision.COMPLETE, initial={"words": onward_words(case)}
    ),
    rows=_done_rows,
    act=_complete,
)
complete = response_view(lambda case: _COMPLETE)


_MISSED = ResponsePage(
    decision=Decision.RECORD_NON_ATTENDANCE,
    title="The patient did not attend",
    button="Record that the patient did not attend",
    done="It is recorded that the patient did not attend.",
    template="referrals/attendance_form.jinja",
    make_form=_form_of(NonAttendanceForm, Decision.RECORD_NON_ATTENDANCE),
    rows=_rows,
    act=_saying(decisions.record_non_attendance, "missed"),
    variant="warning",
)
did_not_attend = response_view(lambda case: _MISSED)


def _cad_form(typed: QueryDict | None, request: HttpRequest, case: Case) -> NHSForm:
    acting = acting_of(request)
    now = clock()
    possible = [each for each, decision in CAD_DECISIONS.items() if can_decide(acting, case, decision, now)]
    return CadStatusForm(typed, case=case, now=now, decision=Decision.COMPLETE, possible=possible)


def _cad_page(case: Case) -> ResponsePage:
    return ResponsePage(
        # The last step is possible as long as any is.
        decision=Decision.COMPLETE,
        title="Tell how far you are",
        button="Tell the requester" if is_told(case, Decision.COMPLETE) else "Keep it with the case",
        # Whether they have it is said beside the answer.
        done="It is recorded how far you are.",
        template="referrals/response_form.jinja",
        make_form=_cad_form,
        rows=_rows,
        act=_saying(decisions.send_cad_status, "status"),
    )


cad_status = response_view(_cad_page)


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
    return told_on_the_case(
        request,
        case_id,
        "The case is yours.",
        lambda: local.assign_case(case=case, to=acting.user, seen=seen, acting=acting, now=clock()),
    )


@require_POST
@permission_required(WORK)
def release(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Nobody's again; only by the person who has it."""
    case, acting = received_case_of(request, case_id), acting_of(request)
    if case.assigned_to is None:
        return redirect("referrals:received", case_id)
    return told_on_the_case(
        request,
        case_id,
        "The case is nobody's again.",
        lambda: local.unassign_case(case=case, seen=acting.user, acting=acting, now=clock()),
    )


def told_on_the_case(
    request: HttpRequest, case_id: UUID, done: str, act: Callable[[], object]
) -> HttpResponse:
    try:
        act()
        messages.success(request, done)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    return redirect("referrals:received", case_id)


@require_POST
@permission_required(ANSWER)
def check_response(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Of an answer that may have arrived: the very same message once more."""
    return _repeated(request, response_of_page(request, answer_id), delivery.check_response_again)


@require_POST
@permission_required(ANSWER)
def send_response(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Of an answer that was not taken: a new message."""
    return _repeated(request, response_of_page(request, answer_id), delivery.send_response_again)


def _repeated(request: HttpRequest, answer: CaseAnswer, again: Callable[..., CaseAnswer]) -> HttpResponse:
    try:
        wait_for_response(again(answer=answer, acting=acting_of(request), now=clock()))
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, "Somebody did this at the same moment. This is how it stands now.")
    return redirect("referrals:received", answer.case.pk)
