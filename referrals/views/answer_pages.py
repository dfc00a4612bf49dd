"""The kinds of answers: which form, which service, which words."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, QueryDict

from bars_portal.accounts.acting import acting_of
from bars_portal.exchange.fhir.codes import EncounterStatus
from bars_portal.nhsuk.forms import NHSForm
from referrals.answer_forms import (
    AnswerForm,
    CadStatusForm,
    CompleteForm,
    NonAttendanceForm,
    OutcomeForm,
    RejectForm,
)
from referrals.answer_policies import Decision, can_decide
from referrals.content_answers import Disposition
from referrals.models import Case
from referrals.presenters.answers import Row, content_rows
from referrals.presenters.onward import onward_words
from referrals.services import answering
from referrals.services.answering import Decided
from referrals.states import CaseStatus
from referrals.views.answering import AnswerPage, answer_view
from referrals.views.lookup import clock

_CAD_STATUSES = {
    Decision.ACCEPT: EncounterStatus.PLANNED,
    Decision.START: EncounterStatus.IN_PROGRESS,
    Decision.COMPLETE: EncounterStatus.FINISHED,
}


def _rows(form: NHSForm) -> list[Row]:
    return content_rows(cast(AnswerForm, form).content())


def _form_of(form: type[AnswerForm]) -> Callable[[QueryDict | None, HttpRequest, Case], NHSForm]:
    return lambda typed, request, case: form(typed, case=case, now=clock())


def _saying(decide: Callable[..., Decided], what: str) -> Callable[[HttpRequest, Case, NHSForm], Decided]:
    """The service, given what the form says under the name of its argument."""

    def act(request: HttpRequest, case: Case, form: NHSForm) -> Decided:
        said = {what: cast(AnswerForm, form).content()}
        return decide(case=case, acting=acting_of(request), now=clock(), **said)

    return act


# Reject.


_REJECT = AnswerPage(
    decision=Decision.REJECT,
    title="Reject this case",
    button="Reject the case",
    done="The case is rejected.",
    template="referrals/answer_form.jinja",
    make_form=_form_of(RejectForm),
    rows=_rows,
    act=_saying(answering.reject_case, "rejection"),
    variant="warning",
)
reject = answer_view(lambda case: _REJECT)


# The outcome of a validation, first or corrected.


def _outcome_page(case: Case) -> AnswerPage:
    revising = case.status == CaseStatus.COMPLETED
    return AnswerPage(
        decision=Decision.REVISE if revising else Decision.COMPLETE,
        title="Correct the outcome" if revising else "Give the outcome",
        button="Send the corrected outcome" if revising else "Send the outcome",
        done="The corrected outcome is given." if revising else "The outcome is given.",
        template="referrals/outcome_form.jinja",
        make_form=lambda typed, request, case: OutcomeForm(
            typed, case=case, now=clock(), initial=_onward_outcome(case)
        ),
        rows=_rows,
        act=_saying(answering.revise_validation if revising else answering.complete_validation, "outcome"),
    )


def _onward_outcome(case: Case) -> dict[str, str]:
    """A case that went onward from here: the form begins with that."""
    words = onward_words(case)
    return {"disposition": Disposition.ONWARD.value, "narrative": words} if words else {}


outcome = answer_view(_outcome_page)


# A referral is done, for our own books.


def _complete(request: HttpRequest, case: Case, form: NHSForm) -> Decided:
    words = form.cleaned_data["words"].strip()
    return answering.complete_referral(case=case, words=words, acting=acting_of(request), now=clock())


def _done_rows(form: NHSForm) -> list[Row]:
    return [{"key": "What was done", "value": form.cleaned_data["words"].strip()}]


_COMPLETE = AnswerPage(
    decision=Decision.COMPLETE,
    title="Complete this referral",
    button="Complete the referral",
    done="The referral is completed.",
    template="referrals/answer_form.jinja",
    make_form=lambda typed, request, case: CompleteForm(typed, initial={"words": onward_words(case)}),
    rows=_done_rows,
    act=_complete,
)
complete = answer_view(lambda case: _COMPLETE)


# The patient did not come.


_MISSED = AnswerPage(
    decision=Decision.RECORD_NON_ATTENDANCE,
    title="The patient did not attend",
    button="Record that the patient did not attend",
    done="It is recorded that the patient did not attend.",
    template="referrals/attendance_form.jinja",
    make_form=_form_of(NonAttendanceForm),
    rows=_rows,
    act=_saying(answering.record_non_attendance, "missed"),
    variant="warning",
)
did_not_attend = answer_view(lambda case: _MISSED)


# How far an ambulance control is.


def _cad_form(typed: QueryDict | None, request: HttpRequest, case: Case) -> NHSForm:
    acting = acting_of(request)
    possible = [each for decision, each in _CAD_STATUSES.items() if can_decide(acting, case, decision)]
    return CadStatusForm(typed, case=case, now=clock(), possible=possible)


_CAD = AnswerPage(
    # The last step is possible as long as any is.
    decision=Decision.COMPLETE,
    title="Tell how far you are",
    button="Tell the requester",
    done="The requester is told how far you are.",
    template="referrals/answer_form.jinja",
    make_form=_cad_form,
    rows=_rows,
    act=_saying(answering.send_cad_status, "status"),
)
cad_status = answer_view(lambda case: _CAD)
