"""How far a rebooking is: both halves in one sentence, so that no half-done state can hide."""

from dataclasses import dataclass
from enum import StrEnum

from bookings.models import Rebooking
from bookings.states import BookingStatus


class RebookingState(StrEnum):
    CANCELLING = "cancelling"
    CANCEL_REFUSED = "cancel-refused"
    CANCEL_UNKNOWN = "cancel-unknown"
    BOOKING = "booking"
    DONE = "done"
    NOT_BOOKED = "not-booked"
    BOOKING_UNKNOWN = "booking-unknown"


@dataclass(frozen=True)
class RebookingProgress:
    """`sentence` is what the page says; `is_alarm`: the patient may have no appointment, so say it loudly."""

    state: RebookingState
    sentence: str

    @property
    def is_alarm(self) -> bool:
        return self.state in (RebookingState.NOT_BOOKED, RebookingState.BOOKING_UNKNOWN)

    @property
    def is_waiting(self) -> bool:
        return self.state in (RebookingState.CANCELLING, RebookingState.BOOKING)


_OLD_IS_GONE = "The old appointment is cancelled."
_FIRST_HALF = {
    BookingStatus.CANCELLING: (
        RebookingState.CANCELLING,
        "The old appointment is being cancelled. The new one is booked as soon as that is confirmed.",
    ),
    BookingStatus.CANCEL_UNKNOWN: (
        RebookingState.CANCEL_UNKNOWN,
        "It is not known whether the old appointment was cancelled, so no new one was booked. Check again.",
    ),
}
_SECOND_HALF = {
    BookingStatus.REQUESTED: (
        RebookingState.BOOKING,
        f"{_OLD_IS_GONE} The new one is still being confirmed. Do not book another.",
    ),
    BookingStatus.UNKNOWN: (
        RebookingState.BOOKING_UNKNOWN,
        f"{_OLD_IS_GONE} It is not known whether the new one was booked. Check again; do not book another.",
    ),
    BookingStatus.REFUSED: (
        RebookingState.NOT_BOOKED,
        f"{_OLD_IS_GONE} The new one was NOT booked: the patient has no appointment. {{explanation}}",
    ),
    BookingStatus.CANCELLED: (
        RebookingState.DONE,
        f"{_OLD_IS_GONE} The appointment that replaced it was cancelled later.",
    ),
}


def rebooking_state(rebooking: Rebooking) -> RebookingProgress:
    """Pure but for reading the two bookings."""
    old = BookingStatus(rebooking.cancelled.status)
    if old in _FIRST_HALF:
        return RebookingProgress(*_FIRST_HALF[old])
    if old is not BookingStatus.CANCELLED:
        return RebookingProgress(
            RebookingState.CANCEL_REFUSED,
            "The old appointment was NOT cancelled and still stands. No new one was booked. "
            f"{rebooking.cancelled.explanation}".strip(),
        )
    if rebooking.booked is None:
        sentence = f"{_OLD_IS_GONE} No new one was booked: the patient has no appointment. Choose a new time."
        return RebookingProgress(RebookingState.NOT_BOOKED, sentence)
    return _second_half(BookingStatus(rebooking.booked.status), rebooking.booked.explanation)


def _second_half(new: BookingStatus, explanation: str) -> RebookingProgress:
    if new in _SECOND_HALF:
        state, sentence = _SECOND_HALF[new]
        words = explanation or "Choose another time."
        return RebookingProgress(state, sentence.format(explanation=words))
    return RebookingProgress(RebookingState.DONE, f"{_OLD_IS_GONE} The new one is booked.")
