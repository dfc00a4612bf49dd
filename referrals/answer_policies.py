"""Who may work on and answer a received case: `check_can_x` raises a sentence, `can_x` is its boolean."""

from enum import StrEnum

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import PolicyRefused, allowed, need
from referrals.answer_states import AnswerState
from referrals.answering import is_ambulance
from referrals.models import Case, CaseAnswer
from referrals.permissions import ANSWER, SEND, WORK
from referrals.selectors.answers import later_answers
from referrals.states import (
    CaseEvent,
    CaseStatus,
    Category,
    Direction,
    TransitionRefused,
    next_status,
)

__all__ = [
    "Decision",
    "PolicyRefused",
    "can_check_again",
    "can_decide",
    "can_refer_onward",
    "can_send_again",
    "can_work",
    "check_can_check_again",
    "check_can_decide",
    "check_can_refer_onward",
    "check_can_send_again",
    "check_can_work",
]


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


_STANDING = {
    CaseStatus.RECEIVED: "This case is not at that point yet.",
    CaseStatus.ACCEPTED: "This case is accepted already.",
    CaseStatus.IN_PROGRESS: "Somebody is working on this case already.",
    CaseStatus.COMPLETED: "This case is completed already.",
    CaseStatus.REJECTED: "This case was rejected already.",
    CaseStatus.DID_NOT_ATTEND: "It is recorded already that the patient did not attend.",
    CaseStatus.REVOKED: "The requester has taken this case back.",
    CaseStatus.ENTERED_IN_ERROR: "The requester entered this case in error.",
}


def check_can_work(acting: Acting, case: Case) -> None:
    """Take it over, give it back, write notes."""
    need(acting.may(WORK), "You are not allowed to work on received cases.")
    _check_ours(acting, case)


def check_can_decide(acting: Acting, case: Case, decision: Decision) -> None:
    """By role, organisation and state; the sentence says what stands in the way."""
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    _check_ours(acting, case)
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
        raise PolicyRefused(_STANDING.get(status, "This case is not at that point.")) from None


def check_can_refer_onward(acting: Acting, case: Case) -> None:
    """Ask another service to carry on with a case that was handed to us, also after its outcome was given."""
    need(acting.may(SEND), "Only clinicians may refer patients or ask for a validation.")
    _check_ours(acting, case)
    over = _STANDING.get(CaseStatus(case.status), "")
    need(case.is_current or case.status == CaseStatus.COMPLETED, over)


def check_can_check_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_answer(acting, answer)
    need(answer.state == AnswerState.UNKNOWN, "It is known what became of this answer, or it is on its way.")
    _check_newest(answer)


def check_can_send_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_answer(acting, answer)
    need(answer.state == AnswerState.REFUSED, "Only an answer that was not taken is sent again.")
    _check_newest(answer)


def can_work(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_work(acting, case))


def can_decide(acting: Acting, case: Case, decision: Decision) -> bool:
    return allowed(lambda: check_can_decide(acting, case, decision))


def can_refer_onward(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_refer_onward(acting, case))


def can_check_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_check_again(acting, answer))


def can_send_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_send_again(acting, answer))


def _check_answer(acting: Acting, answer: CaseAnswer) -> None:
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    _check_ours(acting, answer.case)


def _check_newest(answer: CaseAnswer) -> None:
    """What was said since then counts; the requester would refuse the older one."""
    need(not later_answers(answer).exists(), "A later answer was given to this case, so this one is over.")


def _check_ours(acting: Acting, case: Case) -> None:
    ours = case.organisation_id == acting.organisation.pk
    need(ours, "This case belongs to another organisation.")
    need(case.direction == Direction.RECEIVED, "Only the service that received a case works on it.")
