"""What a person may do with a received case, as buttons; or the sentence that says why nothing."""

from dataclasses import dataclass

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import PolicyRefused
from referrals.answer_policies import Decision, can_decide, check_can_decide
from referrals.answering import is_ambulance
from referrals.models import Case
from referrals.states import Category


@dataclass(frozen=True)
class Action:
    """`at_once`: a button that does it; otherwise a link to a form. `main`: what usually comes next."""

    text: str
    url_name: str
    at_once: bool = False
    main: bool = False


@dataclass(frozen=True)
class Actions:
    offered: list[Action]
    # Why nothing is offered; "" when something is.
    sentence: str


_ACCEPT = Action("Accept this referral", "referrals:accept", at_once=True, main=True)
_START = Action("Start working on it", "referrals:start", at_once=True, main=True)
_REJECT = Action("Reject", "referrals:reject")
_REFERRAL = {
    Decision.ACCEPT: _ACCEPT,
    Decision.START: _START,
    Decision.COMPLETE: Action("Complete", "referrals:complete"),
    Decision.RECORD_NON_ATTENDANCE: Action("The patient did not attend", "referrals:did-not-attend"),
    Decision.REJECT: _REJECT,
}
_VALIDATION = {
    Decision.START: _START,
    Decision.COMPLETE: Action("Give the outcome", "referrals:outcome", main=True),
    Decision.REVISE: Action("Correct the outcome", "referrals:outcome"),
    Decision.REJECT: _REJECT,
}
CAD_DECISIONS = (Decision.ACCEPT, Decision.START, Decision.COMPLETE)
_CAD = Action("Tell how far you are", "referrals:cad-status", main=True)


def actions_for(acting: Acting, case: Case) -> Actions:
    offered = [action for decision, action in _known(case).items() if can_decide(acting, case, decision)]
    return Actions(list(dict.fromkeys(offered)), "" if offered else _reason(acting, case))


def _known(case: Case) -> dict[Decision, Action]:
    if case.category is Category.VALIDATION:
        return _VALIDATION
    if is_ambulance(case):
        return {**dict.fromkeys(CAD_DECISIONS, _CAD), Decision.REJECT: _REJECT}
    return _REFERRAL


def _reason(acting: Acting, case: Case) -> str:
    try:
        check_can_decide(acting, case, Decision.COMPLETE)
    except PolicyRefused as refusal:
        return refusal.sentence
    return ""
