"""A received case is not ours to do."""

from datetime import datetime

from bars_portal.accounts.acting import Acting
from referrals.answer_policies import Decision
from referrals.content_answers import Rejection
from referrals.models import Case
from referrals.services.answering.deciding import Decided, decide


def reject_case(*, case: Case, rejection: Rejection, acting: Acting, now: datetime) -> Decided:
    """With a reason. The standard has no message for a referral outside Application 6: telephone.

    Raises PolicyRefused.
    """
    note = rejection.words.strip() or rejection.reason.display
    return decide(case=case, decision=Decision.REJECT, content=rejection, acting=acting, now=now, note=note)
