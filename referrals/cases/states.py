"""The local status of a referral or validation request, and of our response to one. Pure.

Both are drawn in docs/states-referrals.md. The state of a response follows the exchange's delivery, and never
moves the case: a case is what our people decided, whether or not the other side has heard of it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import product
from typing import Self

from bars_portal.correspondence.states import Direction, TransitionRefused


class Labelled(StrEnum):
    """A value with what people read for it; members are `NAME = "value", "words"`."""

    _label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        # The default is for type checkers only: Enum(value) is a look-up and never comes here.
        member = str.__new__(cls, value)
        member._value_, member._label = value, label
        return member

    @property
    def label(self) -> str:
        return self._label


class Category(StrEnum):
    """ServiceRequest.category: to take the patient over, or to look again at how urgent the case is."""

    REFERRAL = "referral"
    VALIDATION = "validation"


class CaseStatus(Labelled):
    REQUESTED = "requested", "Sending"
    SENT = "sent", "Sent"
    REFUSED = "refused", "Not sent"
    UNKNOWN = "unknown", "Not known whether it arrived"
    REVOKING = "revoking", "Being taken back"
    REVOKE_UNKNOWN = "revoke-unknown", "Not known whether it is taken back"
    RECEIVED = "received", "Received"
    ACCEPTED = "accepted", "Accepted"
    IN_PROGRESS = "in-progress", "In progress"
    COMPLETED = "completed", "Completed"
    REJECTED = "rejected", "Rejected"
    DID_NOT_ATTEND = "did-not-attend", "Did not attend"
    REVOKED = "revoked", "Revoked"
    ENTERED_IN_ERROR = "entered-in-error", "Entered in error"


class CaseEvent(StrEnum):
    SEND = "send"
    # A request of ours on its way, and what its synchronous answer says.
    REQUEST = "request"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LOSE = "lose"
    CHECK_AGAIN = "check-again"
    REQUEST_UPDATE = "request-update"
    CONFIRM_UPDATE = "confirm-update"
    REFUSE_UPDATE = "refuse-update"
    LOSE_UPDATE = "lose-update"
    CHECK_UPDATE_AGAIN = "check-update-again"
    REQUEST_REVOKE = "request-revoke"
    CONFIRM_REVOKE = "confirm-revoke"
    CONFIRM_IN_ERROR = "confirm-in-error"
    # The receiver keeps the case: it is what it was, by what had been heard until then.
    REFUSE_REVOKE = "refuse-revoke"
    REFUSE_REVOKE_ACCEPTED = "refuse-revoke-accepted"
    REFUSE_REVOKE_STARTED = "refuse-revoke-started"
    LOSE_REVOKE = "lose-revoke"
    CHECK_REVOKE_AGAIN = "check-revoke-again"
    FIND_REVOKED = "find-revoked"
    RECEIVE = "receive"
    RECEIVE_UPDATE = "receive-update"
    RECEIVE_REVOKE = "receive-revoke"
    RECEIVE_ENTERED_IN_ERROR = "receive-entered-in-error"
    # What our own people decide about a received case.
    ACCEPT = "accept"
    START = "start"
    REJECT = "reject"
    COMPLETE = "complete"
    REVISE = "revise"
    RECORD_NON_ATTENDANCE = "record-non-attendance"
    # What the other side tells us about a case that we sent.
    HEAR_ACCEPTED = "hear-accepted"
    HEAR_STARTED = "hear-started"
    HEAR_REJECTED = "hear-rejected"
    HEAR_COMPLETED = "hear-completed"
    HEAR_NON_ATTENDANCE = "hear-non-attendance"
    # Too late, or from somebody whom we did not ask: it changes nothing, and is remembered.
    REFUSE_REPLY = "refuse-reply"


# What stands for the status of a response that answers nothing of ours.
UNMATCHED = "unmatched"


class ReplyKind(Labelled):
    """What a response of the other side says (rows servicerequest-response of standard section 6)."""

    INTERIM = "interim", "Started"
    REJECTED = "rejected", "Rejected"
    FULL = "full", "Outcome"
    DID_NOT_ATTEND = "did-not-attend", "Patient did not attend"
    CAD_STATUS = "cad-status", "Ambulance control status"
    CAD_REJECTION = "cad-rejection", "Ambulance control rejection"


_S, _E = CaseStatus, CaseEvent
Table = dict[tuple[CaseStatus | None, CaseEvent], CaseStatus]

# An update keeps the status; what it changes is a version of its own.
_RECEIVED: Table = {
    (None, _E.RECEIVE): _S.RECEIVED,
    (_S.RECEIVED, _E.RECEIVE_UPDATE): _S.RECEIVED,
    (_S.RECEIVED, _E.RECEIVE_REVOKE): _S.REVOKED,
    (_S.RECEIVED, _E.RECEIVE_ENTERED_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.RECEIVED, _E.START): _S.IN_PROGRESS,
    (_S.RECEIVED, _E.REJECT): _S.REJECTED,
    (_S.RECEIVED, _E.COMPLETE): _S.COMPLETED,
    (_S.IN_PROGRESS, _E.RECEIVE_UPDATE): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, _E.RECEIVE_REVOKE): _S.REVOKED,
    (_S.IN_PROGRESS, _E.RECEIVE_ENTERED_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.IN_PROGRESS, _E.REJECT): _S.REJECTED,
    (_S.IN_PROGRESS, _E.COMPLETE): _S.COMPLETED,
}
# An outcome may be corrected: the requester acts on the last one that it was told.
_RECEIVED_VALIDATION: Table = {(_S.COMPLETED, _E.REVISE): _S.COMPLETED}
_RECEIVED_REFERRAL: Table = {
    (_S.RECEIVED, _E.ACCEPT): _S.ACCEPTED,
    (_S.RECEIVED, _E.RECORD_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    # The resource was cancelled: an ambulance control waits for another.
    (_S.IN_PROGRESS, _E.ACCEPT): _S.ACCEPTED,
    (_S.ACCEPTED, _E.RECEIVE_UPDATE): _S.ACCEPTED,
    (_S.ACCEPTED, _E.RECEIVE_REVOKE): _S.REVOKED,
    (_S.ACCEPTED, _E.RECEIVE_ENTERED_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.ACCEPTED, _E.START): _S.IN_PROGRESS,
    (_S.ACCEPTED, _E.REJECT): _S.REJECTED,
    (_S.ACCEPTED, _E.COMPLETE): _S.COMPLETED,
    (_S.ACCEPTED, _E.RECORD_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.IN_PROGRESS, _E.RECORD_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
}


def _keep(statuses: Iterable[CaseStatus], events: Iterable[CaseEvent]) -> Table:
    """Noted in the history, and nothing else changes."""
    return {(status, event): status for status, event in product(statuses, events)}


def _hear(statuses: Iterable[CaseStatus], heard: Mapping[CaseEvent, CaseStatus]) -> Table:
    return {(before, event): after for before, (event, after) in product(statuses, heard.items())}


# Replies may overtake one another, and the synchronous answer: whatever is heard proves that it arrived, and
# a late reply is kept in the history and never takes an outcome back.
_NOT_HEARD_OF = (_S.REQUESTED, _S.UNKNOWN, _S.REFUSED, _S.SENT)
_STARTED = {_E.HEAR_STARTED: _S.IN_PROGRESS, _E.HEAR_REJECTED: _S.REJECTED, _E.HEAR_COMPLETED: _S.COMPLETED}
_ENDING = (_S.REVOKING, _S.REVOKE_UNKNOWN)
_TAKEN_BACK = (_S.REVOKED, _S.ENTERED_IN_ERROR)
_REFUSE_REVOKE = (_E.REFUSE_REVOKE, _E.REFUSE_REVOKE_ACCEPTED, _E.REFUSE_REVOKE_STARTED)
_SETTLED = (_E.CONFIRM, _E.REFUSE, _E.LOSE, _E.CHECK_AGAIN)
_UPDATE_SETTLED = (_E.CONFIRM_UPDATE, _E.REFUSE_UPDATE, _E.LOSE_UPDATE, _E.CHECK_UPDATE_AGAIN)
_REVOKE_UNSETTLED = (*_REFUSE_REVOKE, _E.LOSE_REVOKE, _E.CHECK_REVOKE_AGAIN)
_REVOKE_SETTLED = (_E.CONFIRM_REVOKE, _E.CONFIRM_IN_ERROR, *_REVOKE_UNSETTLED)


def _standing(status: CaseStatus) -> Table:
    """What we may do with a case that the receiver has."""
    return {
        (status, _E.REQUEST_UPDATE): status,
        (status, _E.REQUEST_REVOKE): _S.REVOKING,
        (status, _E.FIND_REVOKED): _S.REVOKED,
        **_keep((status,), _UPDATE_SETTLED),
    }


_SENT: Table = {
    (None, _E.SEND): _S.SENT,
    (None, _E.REQUEST): _S.REQUESTED,
    (_S.REQUESTED, _E.CONFIRM): _S.SENT,
    (_S.REQUESTED, _E.REFUSE): _S.REFUSED,
    (_S.REQUESTED, _E.LOSE): _S.UNKNOWN,
    (_S.UNKNOWN, _E.CHECK_AGAIN): _S.REQUESTED,
    # It goes out again by itself; the last loss is when that ends.
    (_S.UNKNOWN, _E.CONFIRM): _S.SENT,
    (_S.UNKNOWN, _E.REFUSE): _S.REFUSED,
    (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
    **_hear(_NOT_HEARD_OF, _STARTED),
    **_keep((*_NOT_HEARD_OF, *_ENDING, *_TAKEN_BACK), (_E.REFUSE_REPLY,)),
    **_keep((_S.IN_PROGRESS, _S.REJECTED, _S.COMPLETED), (_E.REFUSE_REPLY,)),
    **_standing(_S.SENT),
    **_standing(_S.IN_PROGRESS),
    (_S.REVOKING, _E.CONFIRM_REVOKE): _S.REVOKED,
    (_S.REVOKING, _E.CONFIRM_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.REVOKING, _E.REFUSE_REVOKE): _S.SENT,
    (_S.REVOKING, _E.REFUSE_REVOKE_STARTED): _S.IN_PROGRESS,
    (_S.REVOKING, _E.LOSE_REVOKE): _S.REVOKE_UNKNOWN,
    (_S.REVOKE_UNKNOWN, _E.CHECK_REVOKE_AGAIN): _S.REVOKING,
    (_S.REVOKE_UNKNOWN, _E.CONFIRM_REVOKE): _S.REVOKED,
    (_S.REVOKE_UNKNOWN, _E.CONFIRM_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.REVOKE_UNKNOWN, _E.REFUSE_REVOKE): _S.SENT,
    (_S.REVOKE_UNKNOWN, _E.REFUSE_REVOKE_STARTED): _S.IN_PROGRESS,
    (_S.REVOKE_UNKNOWN, _E.LOSE_REVOKE): _S.REVOKE_UNKNOWN,
    **_hear(_ENDING, {_E.HEAR_REJECTED: _S.REJECTED, _E.HEAR_COMPLETED: _S.COMPLETED}),
    **_keep(_ENDING, (_E.HEAR_STARTED,)),
    # Taken back: only what was done all the same, and that the patient did not come, still counts.
    **_keep(_TAKEN_BACK, (_E.HEAR_STARTED, _E.HEAR_REJECTED)),
    **_hear(_TAKEN_BACK, {_E.HEAR_COMPLETED: _S.COMPLETED}),
    # An answer that is overtaken by replies brings ids, and no other status.
    **_keep((_S.IN_PROGRESS, _S.REJECTED, _S.COMPLETED), _SETTLED),
    **_keep((_S.REJECTED, _S.COMPLETED), _UPDATE_SETTLED),
    (_S.REJECTED, _E.CONFIRM_REVOKE): _S.REVOKED,
    (_S.REJECTED, _E.CONFIRM_IN_ERROR): _S.ENTERED_IN_ERROR,
    **_keep((_S.REJECTED,), _REVOKE_UNSETTLED),
    **_keep((_S.COMPLETED,), _REVOKE_SETTLED),
    **_keep((_S.IN_PROGRESS,), (_E.HEAR_STARTED,)),
    (_S.IN_PROGRESS, _E.HEAR_REJECTED): _S.REJECTED,
    (_S.IN_PROGRESS, _E.HEAR_COMPLETED): _S.COMPLETED,
    **_keep((_S.REJECTED,), (_E.HEAR_STARTED, _E.HEAR_REJECTED)),
    (_S.REJECTED, _E.HEAR_COMPLETED): _S.COMPLETED,
    **_keep((_S.COMPLETED,), _STARTED),
}
_SENT_REFERRAL: Table = {
    **_hear(_NOT_HEARD_OF, {_E.HEAR_ACCEPTED: _S.ACCEPTED, _E.HEAR_NON_ATTENDANCE: _S.DID_NOT_ATTEND}),
    **_keep((_S.ACCEPTED, _S.DID_NOT_ATTEND), (_E.REFUSE_REPLY,)),
    **_standing(_S.ACCEPTED),
    (_S.REVOKING, _E.REFUSE_REVOKE_ACCEPTED): _S.ACCEPTED,
    (_S.REVOKE_UNKNOWN, _E.REFUSE_REVOKE_ACCEPTED): _S.ACCEPTED,
    **_keep((*_ENDING, *_TAKEN_BACK), (_E.HEAR_ACCEPTED,)),
    **_hear((*_ENDING, *_TAKEN_BACK), {_E.HEAR_NON_ATTENDANCE: _S.DID_NOT_ATTEND}),
    **_keep((_S.ACCEPTED, _S.DID_NOT_ATTEND), _SETTLED),
    **_keep((_S.DID_NOT_ATTEND,), (*_UPDATE_SETTLED, *_REVOKE_SETTLED)),
    **_hear((_S.ACCEPTED,), _STARTED),
    # What is older by the responder's stamp is refused before: this is a way back.
    (_S.IN_PROGRESS, _E.HEAR_ACCEPTED): _S.ACCEPTED,
    **_keep((_S.ACCEPTED, _S.REJECTED, _S.COMPLETED), (_E.HEAR_ACCEPTED,)),
    **_hear(
        (_S.ACCEPTED, _S.IN_PROGRESS, _S.REJECTED, _S.COMPLETED),
        {_E.HEAR_NON_ATTENDANCE: _S.DID_NOT_ATTEND},
    ),
    **_keep(
        (_S.DID_NOT_ATTEND,),
        (_E.HEAR_ACCEPTED, _E.HEAR_STARTED, _E.HEAR_REJECTED, _E.HEAR_NON_ATTENDANCE),
    ),
    (_S.DID_NOT_ATTEND, _E.HEAR_COMPLETED): _S.COMPLETED,
}

# (category, direction) -> (status before or None, event) -> status after
TRANSITIONS: dict[tuple[Category, Direction], Table] = {
    (Category.REFERRAL, Direction.RECEIVED): {**_RECEIVED, **_RECEIVED_REFERRAL},
    (Category.REFERRAL, Direction.SENT): {**_SENT, **_SENT_REFERRAL},
    (Category.VALIDATION, Direction.RECEIVED): {**_RECEIVED, **_RECEIVED_VALIDATION},
    (Category.VALIDATION, Direction.SENT): _SENT,
}

# The case stands: somebody may still act on it.
CURRENT = frozenset({_S.REQUESTED, _S.SENT, _S.RECEIVED, _S.ACCEPTED, _S.IN_PROGRESS})
# Not over, or not known to be; everything else is.
OPEN = CURRENT | {_S.UNKNOWN, _S.REVOKING, _S.REVOKE_UNKNOWN}
OVER = frozenset(CaseStatus) - OPEN
# Nobody knows whether it arrived, or whether it is taken back.
UNCLEAR = frozenset({_S.UNKNOWN, _S.REVOKE_UNKNOWN})
# A person decided, here or at the other side.
ANSWERING = (
    *(_E.ACCEPT, _E.START, _E.REJECT, _E.COMPLETE, _E.RECORD_NON_ATTENDANCE),
    *(_E.HEAR_ACCEPTED, _E.HEAR_STARTED, _E.HEAR_REJECTED, _E.HEAR_COMPLETED, _E.HEAR_NON_ATTENDANCE),
)


def next_status(
    category: Category, direction: Direction, status: CaseStatus | None, event: CaseEvent
) -> CaseStatus:
    """The status after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return TRANSITIONS[category, direction][status, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible from {status} ({category}, {direction})") from None


class ResponseState(Labelled):
    """What became of our response to a case."""

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


RESPONSE_TRANSITIONS: Mapping[tuple[ResponseState | None, ResponseEvent], ResponseState] = {
    (None, ResponseEvent.QUEUE): ResponseState.SENDING,
    (None, ResponseEvent.KEEP_BACK): ResponseState.NO_ADDRESS,
    (ResponseState.SENDING, ResponseEvent.CONFIRM): ResponseState.DELIVERED,
    (ResponseState.SENDING, ResponseEvent.REFUSE): ResponseState.REFUSED,
    (ResponseState.SENDING, ResponseEvent.LOSE): ResponseState.UNKNOWN,
    # The very same message once more, for it may have arrived.
    (ResponseState.UNKNOWN, ResponseEvent.CHECK_AGAIN): ResponseState.SENDING,
    # It goes out again by itself; the last loss is when that ends.
    (ResponseState.UNKNOWN, ResponseEvent.CONFIRM): ResponseState.DELIVERED,
    (ResponseState.UNKNOWN, ResponseEvent.REFUSE): ResponseState.REFUSED,
    (ResponseState.UNKNOWN, ResponseEvent.LOSE): ResponseState.UNKNOWN,
    # A new message with the same content: the old one is known not to be held.
    (ResponseState.REFUSED, ResponseEvent.SEND_AGAIN): ResponseState.SENDING,
    # The old one was refused each time it was repeated, and nobody knows of its first attempt.
    (ResponseState.UNKNOWN, ResponseEvent.SEND_AGAIN): ResponseState.SENDING,
}
# Somebody has to look after it: the requester has not heard, or nobody knows.
TROUBLED = frozenset({ResponseState.REFUSED, ResponseState.UNKNOWN, ResponseState.NO_ADDRESS})


def next_response_state(state: ResponseState | None, event: ResponseEvent) -> ResponseState:
    """The state after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return RESPONSE_TRANSITIONS[state, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible for an answer that is {state}") from None
