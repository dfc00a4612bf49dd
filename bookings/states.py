"""The local status of a booking: what our people see. Pure; the table is drawn in docs/states.md."""

from enum import StrEnum

from bars_portal.correspondence.states import Direction, TransitionRefused


class BookingStatus(StrEnum):
    REQUESTED = "requested"
    BOOKED = "booked"
    # The service holds another time, slot, service or person than we asked for: a person has to settle it.
    NOT_AS_ASKED = "not-as-asked"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLING = "cancelling"
    CANCEL_UNKNOWN = "cancel-unknown"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
    # Of one that we received: whether the patient came. Nothing of that is on the wire.
    ATTENDED = "attended"
    DID_NOT_ATTEND = "did-not-attend"

    @property
    def label(self) -> str:
        return _LABELS[self]


class BookingEvent(StrEnum):
    REQUEST = "request"
    CONFIRM = "confirm"
    CONFIRM_OTHER = "confirm-other"
    ACCEPT_OTHER = "accept-other"
    REFUSE = "refuse"
    LOSE = "lose"
    CHECK_AGAIN = "check-again"
    REQUEST_CANCEL = "request-cancel"
    CONFIRM_CANCEL = "confirm-cancel"
    REFUSE_CANCEL = "refuse-cancel"
    REFUSE_CANCEL_OTHER = "refuse-cancel-other"
    LOSE_CANCEL = "lose-cancel"
    CHECK_CANCEL_AGAIN = "check-cancel-again"
    FIND_CANCELLED = "find-cancelled"
    END_REBOOKING = "end-rebooking"
    RECEIVE = "receive"
    RECEIVE_CANCEL = "receive-cancel"
    RECEIVE_ENTERED_IN_ERROR = "receive-entered-in-error"
    # What the service does with a booking that it received.
    MOVE = "move"
    CANCEL_HERE = "cancel-here"
    ATTEND = "attend"
    MISS = "miss"
    NOTE = "note"


_LABELS: dict[BookingStatus, str] = {
    BookingStatus.REQUESTED: "Still confirming",
    BookingStatus.BOOKED: "Booked",
    BookingStatus.NOT_AS_ASKED: "Not as asked for",
    BookingStatus.REFUSED: "Not booked",
    BookingStatus.UNKNOWN: "Not known",
    BookingStatus.CANCELLING: "Cancelling",
    BookingStatus.CANCEL_UNKNOWN: "Cancellation not known",
    BookingStatus.CANCELLED: "Cancelled",
    BookingStatus.ENTERED_IN_ERROR: "Entered in error",
    BookingStatus.ATTENDED: "Attended",
    BookingStatus.DID_NOT_ATTEND: "Did not attend",
}

_S, _E = BookingStatus, BookingEvent

# (direction, status before or None, event) -> status after
TRANSITIONS: dict[tuple[Direction, BookingStatus | None, BookingEvent], BookingStatus] = {
    (Direction.SENT, None, _E.REQUEST): _S.REQUESTED,
    (Direction.SENT, _S.REQUESTED, _E.CONFIRM): _S.BOOKED,
    (Direction.SENT, _S.REQUESTED, _E.CONFIRM_OTHER): _S.NOT_AS_ASKED,
    (Direction.SENT, _S.REQUESTED, _E.REFUSE): _S.REFUSED,
    (Direction.SENT, _S.REQUESTED, _E.LOSE): _S.UNKNOWN,
    (Direction.SENT, _S.UNKNOWN, _E.CHECK_AGAIN): _S.REQUESTED,
    # It goes out again by itself; the last loss is when that ends.
    (Direction.SENT, _S.UNKNOWN, _E.CONFIRM): _S.BOOKED,
    (Direction.SENT, _S.UNKNOWN, _E.CONFIRM_OTHER): _S.NOT_AS_ASKED,
    (Direction.SENT, _S.UNKNOWN, _E.REFUSE): _S.REFUSED,
    (Direction.SENT, _S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
    # The service has put it right, holds something else again, or a person agrees to what it holds.
    (Direction.SENT, _S.NOT_AS_ASKED, _E.CONFIRM): _S.BOOKED,
    (Direction.SENT, _S.NOT_AS_ASKED, _E.CONFIRM_OTHER): _S.NOT_AS_ASKED,
    (Direction.SENT, _S.NOT_AS_ASKED, _E.ACCEPT_OTHER): _S.BOOKED,
    (Direction.SENT, _S.NOT_AS_ASKED, _E.FIND_CANCELLED): _S.CANCELLED,
    (Direction.SENT, _S.NOT_AS_ASKED, _E.REQUEST_CANCEL): _S.CANCELLING,
    (Direction.SENT, _S.CANCELLING, _E.REFUSE_CANCEL_OTHER): _S.NOT_AS_ASKED,
    (Direction.SENT, _S.CANCEL_UNKNOWN, _E.REFUSE_CANCEL_OTHER): _S.NOT_AS_ASKED,
    (Direction.SENT, _S.BOOKED, _E.REQUEST_CANCEL): _S.CANCELLING,
    (Direction.SENT, _S.BOOKED, _E.FIND_CANCELLED): _S.CANCELLED,
    (Direction.SENT, _S.CANCELLING, _E.CONFIRM_CANCEL): _S.CANCELLED,
    (Direction.SENT, _S.CANCELLING, _E.REFUSE_CANCEL): _S.BOOKED,
    (Direction.SENT, _S.CANCELLING, _E.LOSE_CANCEL): _S.CANCEL_UNKNOWN,
    (Direction.SENT, _S.CANCEL_UNKNOWN, _E.CHECK_CANCEL_AGAIN): _S.CANCELLING,
    (Direction.SENT, _S.CANCEL_UNKNOWN, _E.CONFIRM_CANCEL): _S.CANCELLED,
    (Direction.SENT, _S.CANCEL_UNKNOWN, _E.REFUSE_CANCEL): _S.BOOKED,
    (Direction.SENT, _S.CANCEL_UNKNOWN, _E.LOSE_CANCEL): _S.CANCEL_UNKNOWN,
    # It was cancelled for a new appointment, which came to nothing and is no longer wanted.
    (Direction.SENT, _S.CANCELLED, _E.END_REBOOKING): _S.CANCELLED,
    (Direction.RECEIVED, None, _E.RECEIVE): _S.BOOKED,
    (Direction.RECEIVED, _S.BOOKED, _E.RECEIVE_CANCEL): _S.CANCELLED,
    (Direction.RECEIVED, _S.BOOKED, _E.RECEIVE_ENTERED_IN_ERROR): _S.ENTERED_IN_ERROR,
    (Direction.RECEIVED, _S.BOOKED, _E.MOVE): _S.BOOKED,
    (Direction.RECEIVED, _S.BOOKED, _E.CANCEL_HERE): _S.CANCELLED,
    (Direction.RECEIVED, _S.BOOKED, _E.ATTEND): _S.ATTENDED,
    (Direction.RECEIVED, _S.BOOKED, _E.MISS): _S.DID_NOT_ATTEND,
    # A slip of the hand is put right.
    (Direction.RECEIVED, _S.ATTENDED, _E.MISS): _S.DID_NOT_ATTEND,
    (Direction.RECEIVED, _S.DID_NOT_ATTEND, _E.ATTEND): _S.ATTENDED,
    (Direction.RECEIVED, _S.BOOKED, _E.NOTE): _S.BOOKED,
    (Direction.RECEIVED, _S.ATTENDED, _E.NOTE): _S.ATTENDED,
    (Direction.RECEIVED, _S.DID_NOT_ATTEND, _E.NOTE): _S.DID_NOT_ATTEND,
}


def next_status(direction: Direction, status: BookingStatus | None, event: BookingEvent) -> BookingStatus:
    """The status after the event. Raises TransitionRefused when the table has no such row."""
    try:
        return TRANSITIONS[direction, status, event]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible from {status} ({direction})") from None


VIEW_PERMISSION: dict[str, str] = {
    Direction.SENT.value: "bookings.view_sent_bookings",
    Direction.RECEIVED.value: "bookings.view_received_bookings",
}
# Change diaries, and what is booked in them: of who runs a service.
RUN_DIARY = "bookings.run_diary"
