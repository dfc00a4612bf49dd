"""The local status of a referral or validation request. Pure; drawn in docs/states-referrals.md."""

from enum import StrEnum

from bookings.states import Direction

__all__ = [
    "CURRENT",
    "TRANSITIONS",
    "CaseEvent",
    "CaseStatus",
    "Category",
    "Direction",
    "ReplyKind",
    "TransitionRefused",
    "next_status",
]


class Category(StrEnum):
    """ServiceRequest.category: to take the patient over, or to look again at how urgent the case is."""

    REFERRAL = "referral"
    VALIDATION = "validation"


class CaseStatus(StrEnum):
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    DID_NOT_ATTEND = "did-not-attend"
    REVOKED = "revoked"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def label(self) -> str:
        return _LABELS[self]


class CaseEvent(StrEnum):
    SEND = "send"
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


class ReplyKind(StrEnum):
    """What a response of the other side says (rows servicerequest-response of standard section 6)."""

    INTERIM = "interim"
    REJECTED = "rejected"
    FULL = "full"
    DID_NOT_ATTEND = "did-not-attend"
    CAD_STATUS = "cad-status"
    CAD_REJECTION = "cad-rejection"

    @property
    def label(self) -> str:
        return _KIND_LABELS[self]


_LABELS: dict[CaseStatus, str] = {
    CaseStatus.SENT: "Sent",
    CaseStatus.RECEIVED: "Received",
    CaseStatus.ACCEPTED: "Accepted",
    CaseStatus.IN_PROGRESS: "In progress",
    CaseStatus.COMPLETED: "Completed",
    CaseStatus.REJECTED: "Rejected",
    CaseStatus.DID_NOT_ATTEND: "Did not attend",
    CaseStatus.REVOKED: "Revoked",
    CaseStatus.ENTERED_IN_ERROR: "Entered in error",
}
_KIND_LABELS: dict[ReplyKind, str] = {
    ReplyKind.INTERIM: "Started",
    ReplyKind.REJECTED: "Rejected",
    ReplyKind.FULL: "Outcome",
    ReplyKind.DID_NOT_ATTEND: "Patient did not attend",
    ReplyKind.CAD_STATUS: "Ambulance control status",
    ReplyKind.CAD_REJECTION: "Ambulance control rejection",
}

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
    (_S.ACCEPTED, _E.RECEIVE_UPDATE): _S.ACCEPTED,
    (_S.ACCEPTED, _E.RECEIVE_REVOKE): _S.REVOKED,
    (_S.ACCEPTED, _E.RECEIVE_ENTERED_IN_ERROR): _S.ENTERED_IN_ERROR,
    (_S.ACCEPTED, _E.START): _S.IN_PROGRESS,
    (_S.ACCEPTED, _E.REJECT): _S.REJECTED,
    (_S.ACCEPTED, _E.COMPLETE): _S.COMPLETED,
    (_S.ACCEPTED, _E.RECORD_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.IN_PROGRESS, _E.RECORD_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
}
# Replies may overtake one another: a late one is kept in the history, and never takes an outcome back.
_SENT: Table = {
    (None, _E.SEND): _S.SENT,
    (_S.SENT, _E.HEAR_STARTED): _S.IN_PROGRESS,
    (_S.SENT, _E.HEAR_REJECTED): _S.REJECTED,
    (_S.SENT, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.IN_PROGRESS, _E.HEAR_STARTED): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, _E.HEAR_REJECTED): _S.REJECTED,
    (_S.IN_PROGRESS, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.REJECTED, _E.HEAR_STARTED): _S.REJECTED,
    (_S.REJECTED, _E.HEAR_REJECTED): _S.REJECTED,
    (_S.REJECTED, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.COMPLETED, _E.HEAR_STARTED): _S.COMPLETED,
    (_S.COMPLETED, _E.HEAR_REJECTED): _S.COMPLETED,
    (_S.COMPLETED, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.SENT, _E.REFUSE_REPLY): _S.SENT,
    (_S.IN_PROGRESS, _E.REFUSE_REPLY): _S.IN_PROGRESS,
    (_S.REJECTED, _E.REFUSE_REPLY): _S.REJECTED,
    (_S.COMPLETED, _E.REFUSE_REPLY): _S.COMPLETED,
}
_SENT_REFERRAL: Table = {
    (_S.SENT, _E.HEAR_ACCEPTED): _S.ACCEPTED,
    (_S.SENT, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.ACCEPTED, _E.HEAR_ACCEPTED): _S.ACCEPTED,
    (_S.ACCEPTED, _E.HEAR_STARTED): _S.IN_PROGRESS,
    (_S.ACCEPTED, _E.HEAR_REJECTED): _S.REJECTED,
    (_S.ACCEPTED, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.ACCEPTED, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.ACCEPTED, _E.REFUSE_REPLY): _S.ACCEPTED,
    (_S.IN_PROGRESS, _E.HEAR_ACCEPTED): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.REJECTED, _E.HEAR_ACCEPTED): _S.REJECTED,
    (_S.REJECTED, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.COMPLETED, _E.HEAR_ACCEPTED): _S.COMPLETED,
    (_S.COMPLETED, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.DID_NOT_ATTEND, _E.HEAR_ACCEPTED): _S.DID_NOT_ATTEND,
    (_S.DID_NOT_ATTEND, _E.HEAR_STARTED): _S.DID_NOT_ATTEND,
    (_S.DID_NOT_ATTEND, _E.HEAR_REJECTED): _S.DID_NOT_ATTEND,
    (_S.DID_NOT_ATTEND, _E.HEAR_COMPLETED): _S.COMPLETED,
    (_S.DID_NOT_ATTEND, _E.HEAR_NON_ATTENDANCE): _S.DID_NOT_ATTEND,
    (_S.DID_NOT_ATTEND, _E.REFUSE_REPLY): _S.DID_NOT_ATTEND,
}

# (category, direction) -> (status before or None, event) -> status after
TRANSITIONS: dict[tuple[Category, Direction], Table] = {
    (Category.REFERRAL, Direction.RECEIVED): {**_RECEIVED, **_RECEIVED_REFERRAL},
    (Category.REFERRAL, Direction.SENT): {**_SENT, **_SENT_REFERRAL},
    (Category.VALIDATION, Direction.RECEIVED): {**_RECEIVED, **_RECEIVED_VALIDATION},
    (Category.VALIDATION, Direction.SENT): _SENT,
}

# Somebody may still act on the case; everything else is over.
CURRENT = frozenset({_S.SENT, _S.RECEIVED, _S.ACCEPTED, _S.IN_PROGRESS})


class TransitionRefused(Exception):
    """The event has no meaning in this status: another person or message was first."""


def next_status(
    category: Category, direction: Direction, status: CaseStatus | None, event: CaseEvent
) -> CaseStatus:
    """The status after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return TRANSITIONS[category, direction][status, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible from {status} ({category}, {direction})") from None
