"""What became of our response to a case. Pure; drawn in docs/states-referrals.md.

It follows the exchange's delivery, and never moves the case: a case is what our people decided, whether or
not the other side has heard of it.
"""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.correspondence.states import TransitionRefused
from referrals.cases.states import Labelled


class ResponseState(Labelled):
    SENDING = "sending", "On its way"
    DELIVERED = "delivered", "Delivered"
    REFUSED = "refused", "Not taken by the requester"
    UNKNOWN = "unknown", "Not known whether it arrived"
    NO_ADDRESS = "no-address", "Cannot be sent: the request has no address for replies"


class ResponseEvent(StrEnum):
    QUEUE = "queue"
    KEEP_BACK = "keep-back"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LOSE = "lose"
    CHECK_AGAIN = "check-again"
    SEND_AGAIN = "send-again"


_S, _E = ResponseState, ResponseEvent
RESPONSE_TRANSITIONS: Mapping[tuple[ResponseState | None, ResponseEvent], ResponseState] = {
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
    # The old one was refused each time it was repeated, and nobody knows of its first attempt.
    (_S.UNKNOWN, _E.SEND_AGAIN): _S.SENDING,
}
# Somebody has to look after it: the requester has not heard, or nobody knows.
TROUBLED = frozenset({_S.REFUSED, _S.UNKNOWN, _S.NO_ADDRESS})


def next_response_state(state: ResponseState | None, event: ResponseEvent) -> ResponseState:
    """The state after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return RESPONSE_TRANSITIONS[state, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible for an answer that is {state}") from None
