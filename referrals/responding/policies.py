"""Who may respond to a received case: `check_can_x` raises a sentence, `can_x` is its boolean."""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.fhir.codes import EncounterStatus
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.policies import STANDING, check_received_here
from referrals.cases.response_states import ResponseState
from referrals.cases.selectors import later_responses
from referrals.cases.states import CaseEvent, CaseStatus, Category, ReplyKind, next_status
from referrals.parts.applications import application_for
from referrals.permissions import ANSWER


class Decision(StrEnum):
    """What our people may decide about a received case."""

    ACCEPT = CaseEvent.ACCEPT.value
    START = CaseEvent.START.value
    REJECT = CaseEvent.REJECT.value
    COMPLETE = CaseEvent.COMPLETE.value
    REVISE = CaseEvent.REVISE.value
    RECORD_NON_ATTENDANCE = CaseEvent.RECORD_NON_ATTENDANCE.value

    @property
    def event(self) -> CaseEvent:
        return CaseEvent(self.value)


# What an ambulance control decides by telling how far it is.
CAD_DECISIONS: Mapping[EncounterStatus, Decision] = {
    EncounterStatus.PLANNED: Decision.ACCEPT,
    EncounterStatus.IN_PROGRESS: Decision.START,
    EncounterStatus.FINISHED: Decision.COMPLETE,
}


def is_ambulance(case: Case) -> bool:
    return application_for(case.use_case, case.category).is_ambulance


def response_to_tell(case: Case, decision: Decision) -> ReplyKind | None:
    """The response that tells the requester of a decision; None where the standard has none."""
    return application_for(case.use_case, case.category).responses.get(decision.event)


def check_can_decide(acting: Acting, case: Case, decision: Decision) -> None:
    """By role, organisation and state; the sentence says what stands in the way."""
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    check_received_here(acting, case)
    missed = decision is Decision.RECORD_NON_ATTENDANCE
    words = "Ambulance controls have no message for a patient who did not attend."
    need(not (missed and is_ambulance(case)), words)
    status = CaseStatus(case.status)
    try:
        next_status(case.category, Direction(case.direction), status, decision.event)
    except TransitionRefused:
        only_referrals = decision in (Decision.ACCEPT, Decision.RECORD_NON_ATTENDANCE)
        if only_referrals and case.category is Category.VALIDATION and case.is_current:
            raise PolicyRefused("That is for referrals only.") from None
        raise PolicyRefused(STANDING.get(status, "This case is not at that point.")) from None


def check_can_check_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_response(acting, answer)
    need(
        answer.state == ResponseState.UNKNOWN, "It is known what became of this answer, or it is on its way."
    )
    _check_newest(answer)


def check_can_send_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_response(acting, answer)
    need(answer.state == ResponseState.REFUSED, "Only an answer that was not taken is sent again.")
    _check_newest(answer)


def can_decide(acting: Acting, case: Case, decision: Decision) -> bool:
    return allowed(lambda: check_can_decide(acting, case, decision))


def can_check_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_check_again(acting, answer))


def can_send_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_send_again(acting, answer))


def _check_response(acting: Acting, answer: CaseAnswer) -> None:
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    check_received_here(acting, answer.case)


def _check_newest(answer: CaseAnswer) -> None:
    """What was said since then counts; the requester would refuse the older one."""
    need(not later_responses(answer).exists(), "A later answer was given to this case, so this one is over.")
