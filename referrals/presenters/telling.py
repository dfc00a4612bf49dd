"""Who hears of a decision before it is made: the person should know when nobody does."""

from referrals.answer_policies import Decision
from referrals.answer_states import reply_told
from referrals.answer_words import NO_ADDRESS
from referrals.answering import is_ambulance
from referrals.models import Case

_NO_MESSAGE = (
    "This is kept here only: there is no message for it, so nobody outside is told. "
    "Telephone the requester if they need to know."
)


def who_is_told(case: Case, decision: Decision) -> str:
    if reply_told(case.category, is_ambulance(case), decision.event) is None:
        return _NO_MESSAGE
    if not case.source_service_id:
        return f"This is kept here. {NO_ADDRESS}"
    name = case.requester_name or case.sender_name or "The requester"
    return f"{name} is told at once. It cannot be unsaid."
