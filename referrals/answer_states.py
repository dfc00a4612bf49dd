"""What became of our answer to a case. Pure; drawn in docs/states-referrals.md.

It follows the exchange's delivery, and never moves the case: a case is what our people decided, whether or
not the other side has heard of it.
"""

from collections.abc import Mapping
from enum import StrEnum

from referrals.states import CaseEvent, Category, ReplyKind, TransitionRefused


class AnswerState(StrEnum):
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NO_ADDRESS = "no-address"

    @property
    def label(self) -> str:
        return _LABELS[self]


class AnswerEvent(StrEnum):
    QUEUE = "queue"
    KEEP_BACK = "keep-back"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LOSE = "lose"
    CHECK_AGAIN = "check-again"
    SEND_AGAIN = "send-again"


_LABELS = {
    AnswerState.SENDING: "On its way",
    AnswerState.DELIVERED: "Delivered",
    AnswerState.REFUSED: "Not taken by the requester",
    AnswerState.UNKNOWN: "Not known whether it arrived",
    AnswerState.NO_ADDRESS: "Cannot be sent: the request has no address for replies",
}

_S, _E = AnswerState, AnswerEvent
ANSWER_TRANSITIONS: Mapping[tuple[AnswerState | None, AnswerEvent], AnswerState] = {
    (None, _E.QUEUE): _S.SENDING,
    (None, _E.KEEP_BACK): _S.NO_ADDRESS,
    (_S.SENDING, _E.CONFIRM): _S.DELIVERED,
    (_S.SENDING, _E.REFUSE): _S.REFUSED,
    (_S.SENDING, _E.LOSE): _S.UNKNOWN,
    # The very same message once more, for it may have arrived.
    (_S.UNKNOWN, _E.CHECK_AGAIN): _S.SENDING,
    # It goes out again by itself; the last loss is when that ends.
    (_S.UNKNOWN, _E.CONFIRM): _S.DELIVERED,
    (_S.UNKNOWN, _E.REFUSE): _S.REFUSED,
    (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
    # A new message with the same content: the old one is known not to be held.
    (_S.REFUSED, _E.SEND_AGAIN): _S.SENDING,
}
# Somebody has to look after it: the requester has not heard, or nobody knows.
TROUBLED = frozenset({_S.REFUSED, _S.UNKNOWN, _S.NO_ADDRESS})

_VALIDATION = {
    CaseEvent.START: ReplyKind.INTERIM,
    CaseEvent.REJECT: ReplyKind.REJECTED,
    CaseEvent.COMPLETE: ReplyKind.FULL,
    CaseEvent.REVISE: ReplyKind.FULL,
}
_AMBULANCE = {
    CaseEvent.ACCEPT: ReplyKind.CAD_STATUS,
    CaseEvent.START: ReplyKind.CAD_STATUS,
    CaseEvent.COMPLETE: ReplyKind.CAD_STATUS,
    CaseEvent.REJECT: ReplyKind.CAD_REJECTION,
}
_REFERRAL = {CaseEvent.RECORD_NON_ATTENDANCE: ReplyKind.DID_NOT_ATTEND}

# Keys of exchange.fhir.rules.table.
MESSAGE_KEYS: Mapping[ReplyKind, str] = {
    ReplyKind.INTERIM: "validation-interim",
    ReplyKind.REJECTED: "validation-rejected",
    ReplyKind.FULL: "validation-full",
    ReplyKind.DID_NOT_ATTEND: "referral-did-not-attend",
    ReplyKind.CAD_STATUS: "cad-response",
    ReplyKind.CAD_REJECTION: "cad-rejection",
}


def next_answer_state(state: AnswerState | None, event: AnswerEvent) -> AnswerState:
    """The state after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return ANSWER_TRANSITIONS[state, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible for an answer that is {state}") from None


def reply_told(category: Category, is_ambulance: bool, event: CaseEvent) -> ReplyKind | None:
    """The response that tells the requester of a decision; None where the standard has none.

    Section 6: validations have three responses, ambulance controls (Application 6) two, all other referrals
    only "did not attend": that one is accepted, rejected or completed is not told by a message.
    """
    if category is Category.VALIDATION:
        return _VALIDATION.get(event)
    return (_AMBULANCE if is_ambulance else _REFERRAL).get(event)
