"""What carries a received case on, and what is still to be done or told about it."""

from dataclasses import dataclass
from typing import Any

from bars_portal.accounts.acting import Acting
from referrals.answer_policies import Decision, can_decide, can_refer_onward
from referrals.case_words import CATEGORIES, TONES
from referrals.content_answers import Disposition
from referrals.models import Case
from referrals.selectors import latest_answer, onward_requests_of, standing_onward
from referrals.states import CaseStatus, ReplyKind


@dataclass(frozen=True)
class OnwardLine:
    """One request of ours that carries the case on."""

    case: Case
    kind: str
    status: str
    tone: str


def onward_facts(acting: Acting, case: Case) -> dict[str, Any]:
    """Fields of the page of a received case.

    `onward_untold`: it went onward, and nobody has completed it here. `onward_missing`: the requester was
    told that it went onward, and nothing was sent.
    """
    sent = onward_requests_of(case)
    standing = standing_onward(sent)
    return {
        "onward": [_line(each) for each in sent],
        "can_refer_onward": can_refer_onward(acting, case),
        "onward_untold": standing is not None and can_decide(acting, case, Decision.COMPLETE),
        "onward_missing": standing is None and _was_told_onward(case),
    }


def onward_words(case: Case) -> str:
    """Where it went, as an outcome tells it; "" when it did not go onward from here."""
    standing = standing_onward(onward_requests_of(case))
    if standing is None:
        return ""
    reference = f", their reference {standing.reference}" if standing.reference else ""
    return f"Referred onward to {standing.service.name}{reference}."


def _line(case: Case) -> OnwardLine:
    status = CaseStatus(case.status)
    return OnwardLine(case, CATEGORIES[case.category], status.label, TONES[status])


def _was_told_onward(case: Case) -> bool:
    told = latest_answer(case, ReplyKind.FULL)
    return told is not None and told.content.get("disposition") == Disposition.ONWARD
