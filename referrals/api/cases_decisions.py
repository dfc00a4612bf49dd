"""Decisions about a received case: by the forms of its page, on the case as it was read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from rest_framework.request import Request

from bars_portal.api.forms import schema_of, valid
from bars_portal.api.headers import need_match
from bars_portal.api.operations import component
from bars_portal.api.problems import FieldFault, Problem, invalid
from bars_portal.api.views import Act
from bars_portal.exchange.fhir.codes import ARPPriority
from bookings.api.base import nothing_in, refusals
from bookings.api.representation import NO_BODY
from referrals.api.cases_changes import ToldChange, body_of, operation_of_case
from referrals.cases.models import Case
from referrals.cases.states import CaseStatus, Category
from referrals.responding import decisions
from referrals.responding.content import CadStatus, NonAttendance, Outcome, Rejection
from referrals.responding.decisions import Decided
from referrals.responding.forms import (
    CadStatusForm,
    CompleteForm,
    DecisionForm,
    NonAttendanceForm,
    PharmacyCompleteForm,
    RejectForm,
    ResponseForm,
)
from referrals.responding.local import is_contacted
from referrals.responding.outcome_form import OutcomeForm
from referrals.responding.policies import CAD_DECISIONS, Decision, can_decide, check_can_decide

F = TypeVar("F", bound=DecisionForm)
C = TypeVar("C")
Decide = Callable[[Case], Decided]

REJECTION = body_of("CaseRejection", RejectForm)
COMPLETION = component(
    "CaseCompletion",
    {
        **schema_of(PharmacyCompleteForm),
        "required": [],
        "description": "A pharmacy says all of it, any other service only words.",
    },
)
OUTCOME = body_of(
    "CaseOutcome",
    OutcomeForm,
    priority={"enum": ["", *(each.value for each in ARPPriority)]},
    ended={"items": {"type": "string"}, "description": "Ids of standing_warnings that no longer apply."},
)
NON_ATTENDANCE = body_of("CaseNonAttendance", NonAttendanceForm)
CAD_STATUS = body_of("CaseCadStatus", CadStatusForm, status={"enum": [each.value for each in CAD_DECISIONS]})


class _Decision(ToldChange):
    """Decided only on the case as it was read; the database says whether it still is."""

    decision: ClassVar[Decision]

    def check_seen(self, request: Request, case: Case) -> None:
        need_match(request)
        self._seen = self.seen(request, case)

    def deciding(self, case: Case) -> Decision:
        """Raises PolicyRefused where it is no decision about such a case."""
        return self.decision

    def changing(self, request: Request, subject: Case, body: Mapping[str, Any], now: datetime) -> Act:
        with refusals():
            decision = self.deciding(subject)
            check_can_decide(self.acting, subject, decision, now)
        decide = self.decided(subject, body, decision, now)
        return lambda: decisions.decide_as_seen(case=subject, seen=self._seen, act=decide)

    def decided(self, case: Case, body: Mapping[str, Any], decision: Decision, now: datetime) -> Decide:
        raise NotImplementedError

    def read(self, form: type[F], case: Case, body: Mapping[str, Any], decision: Decision, **more: Any) -> F:
        """Raises Problem."""
        return valid(form, body, case=case, now=timezone.now(), decision=decision, **more)


def content_of(form: ResponseForm, kind: type[C]) -> C:
    """What a valid form says. Raises TypeError for another kind than the form's."""
    said = form.content()
    if not isinstance(said, kind):
        raise TypeError(f"This form does not say {kind.__name__}.")
    return said


class Accept(_Decision):
    decision = Decision.ACCEPT
    operations = operation_of_case("accept-case", "Accept a referral", NO_BODY, {})

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        nothing_in(body)
        return lambda held: decisions.accept_referral(case=held, acting=self.acting, now=now)


class Start(_Decision):
    decision = Decision.START
    operations = operation_of_case("start-case", "Start working on a case", NO_BODY, {})

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        nothing_in(body)
        return lambda held: decisions.start_case(case=held, acting=self.acting, now=now)


class Reject(_Decision):
    decision = Decision.REJECT
    operations = operation_of_case(
        "reject-case", "Reject a case", REJECTION, {"reason": "OTH", "words": "We have no X-ray tonight."}
    )

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        said = content_of(self.read(RejectForm, case, body, decision), Rejection)
        return lambda held: decisions.reject_case(case=held, rejection=said, acting=self.acting, now=now)


class Complete(_Decision):
    decision = Decision.COMPLETE
    operations = operation_of_case(
        "complete-case", "Complete a referral", COMPLETION, {"words": "Seen and sent home with advice."}
    )

    def deciding(self, case: Case) -> Decision:
        if case.category is Category.VALIDATION:
            raise Problem("refused", "A validation is completed by its outcome.")
        return self.decision

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        if is_contacted(case):
            words = self.read(PharmacyCompleteForm, case, body, decision).said()
        else:
            words = str(self.read(CompleteForm, case, body, decision).cleaned_data["words"]).strip()
        return lambda held: decisions.complete_referral(case=held, words=words, acting=self.acting, now=now)


class GiveOutcome(_Decision):
    operations = operation_of_case(
        "give-case-outcome",
        "Give the outcome of a validation, or correct it",
        OUTCOME,
        {
            "disposition": "hear-and-treat",
            "priority": "C5",
            "triage_1": "Dx335",
            "narrative": "Spoke to the caller.",
        },
        description="Triage codes as the page takes them: words of the list, or Words [SYSTEM code].",
    )

    def deciding(self, case: Case) -> Decision:
        if case.category is not Category.VALIDATION:
            raise Problem("refused", "Only a validation has an outcome.")
        return Decision.REVISE if case.status == CaseStatus.COMPLETED else Decision.COMPLETE

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        form = self.read(OutcomeForm, case, body, decision)
        if body.get("ended") and "ended" not in form.fields:
            raise invalid([FieldFault("There is no warning that could end.", pointer="/ended")])
        give = decisions.revise_validation if decision is Decision.REVISE else decisions.complete_validation
        said = content_of(form, Outcome)
        return lambda held: give(case=held, outcome=said, acting=self.acting, now=now)


class DidNotAttend(_Decision):
    decision = Decision.RECORD_NON_ATTENDANCE
    operations = operation_of_case(
        "record-non-attendance",
        "Record that the patient did not attend",
        NON_ATTENDANCE,
        {"day": "2026-11-20", "start": "09:00", "end": "09:15", "words": "Called twice.", "concern": "no"},
        description="Times are London's.",
    )

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        said = content_of(self.read(NonAttendanceForm, case, body, decision), NonAttendance)
        return lambda held: decisions.record_non_attendance(
            case=held, missed=said, acting=self.acting, now=now
        )


class TellHowFar(_Decision):
    decision = Decision.COMPLETE
    operations = operation_of_case(
        "tell-cad-status",
        "Tell how far an ambulance control is",
        CAD_STATUS,
        {"status": "in-progress", "words": "Two crews are on the way."},
    )

    def decided(self, case: Case, body: Any, decision: Decision, now: datetime) -> Decide:
        named = CAD_DECISIONS.items()
        able = [each for each, decided in named if can_decide(self.acting, case, decided, now)]
        said = content_of(self.read(CadStatusForm, case, body, decision, possible=able), CadStatus)
        return lambda held: decisions.send_cad_status(case=held, status=said, acting=self.acting, now=now)
