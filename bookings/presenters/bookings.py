"""One booking that we sent: how it stands, in plain words, and what can be done next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.correspondence.history import Step
from bars_portal.correspondence.waiting import trying_words
from bars_portal.exchange import outbox
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from bookings import policies
from bookings.models import Booking, BookingStatusChange, Rebooking
from bookings.presenters.slots import appointment_rows
from bookings.selectors.sent import attention_counts, history_of, rebooking_of
from bookings.states import BookingEvent, BookingStatus


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


# Tag colours of nhsuk.status_tag.
TONES: Mapping[BookingStatus, str] = {
    BookingStatus.REQUESTED: "working",
    BookingStatus.BOOKED: "done",
    BookingStatus.REFUSED: "failed",
    BookingStatus.UNKNOWN: "attention",
    BookingStatus.CANCELLING: "working",
    BookingStatus.CANCEL_UNKNOWN: "attention",
    BookingStatus.CANCELLED: "neutral",
    BookingStatus.ENTERED_IN_ERROR: "neutral",
}
_HEADINGS: Mapping[BookingStatus, str] = {
    BookingStatus.REQUESTED: "Still confirming",
    BookingStatus.BOOKED: "Appointment booked",
    BookingStatus.REFUSED: "Not booked",
    BookingStatus.UNKNOWN: "We do not know yet whether this is booked",
    BookingStatus.CANCELLING: "Cancelling",
    BookingStatus.CANCEL_UNKNOWN: "We do not know yet whether this is cancelled",
    BookingStatus.CANCELLED: "Appointment cancelled",
    BookingStatus.ENTERED_IN_ERROR: "Entered in error",
}
_EVENT_WORDS: Mapping[str, str] = {
    BookingEvent.REQUEST: "Asked the service to book",
    BookingEvent.CONFIRM: "The service confirmed the booking",
    BookingEvent.REFUSE: "The service did not book",
    BookingEvent.LOSE: "No clear answer came back",
    BookingEvent.CHECK_AGAIN: "Sent again to find out",
    BookingEvent.REQUEST_CANCEL: "Asked the service to cancel",
    BookingEvent.CONFIRM_CANCEL: "The service confirmed the cancellation",
    BookingEvent.REFUSE_CANCEL: "The service did not cancel",
    BookingEvent.LOSE_CANCEL: "No clear answer to the cancellation came back",
    BookingEvent.CHECK_CANCEL_AGAIN: "Sent the cancellation again to find out",
    BookingEvent.FIND_CANCELLED: "Found cancelled by the service",
    BookingEvent.RECEIVE: "Received and booked",
    BookingEvent.RECEIVE_CANCEL: "Cancelled by the sender",
    BookingEvent.RECEIVE_ENTERED_IN_ERROR: "Marked as entered in error by the sender",
}
_ANSWERS = frozenset(
    {
        BookingEvent.CONFIRM,
        BookingEvent.REFUSE,
        BookingEvent.CONFIRM_CANCEL,
        BookingEvent.REFUSE_CANCEL,
        BookingEvent.FIND_CANCELLED,
    }
)


@dataclass(frozen=True)
class BookingPage:
    """Everything that the page of one booking shows."""

    booking: Booking
    banner: PatientBanner
    heading: str
    status: str
    tone: str
    appointment: list[dict[str, str]]
    patient: list[dict[str, str]]
    history: list[Step]
    rebooking: RebookingProgress | None
    replaces: Booking | None
    replaced_by: Booking | None
    can_cancel: bool
    can_rebook: bool
    can_check_again: bool
    must_tell: bool
    trying: str
    keeps_trying: bool

    @property
    def stamp(self) -> str:
        """Another one when the booking has changed."""
        return self.booking.updated_at.isoformat()

    @property
    def is_working(self) -> bool:
        return self.booking.status in (BookingStatus.REQUESTED, BookingStatus.CANCELLING)

    @property
    def is_booked(self) -> bool:
        return self.booking.status == BookingStatus.BOOKED

    @property
    def is_unknown(self) -> bool:
        return self.booking.status in (BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN)

    @property
    def is_refused(self) -> bool:
        return self.booking.status == BookingStatus.REFUSED

    @property
    def is_cancelled(self) -> bool:
        return self.booking.status == BookingStatus.CANCELLED


def booking_page(booking: Booking, *, acting: Acting, now: datetime) -> BookingPage:
    status, plan = BookingStatus(booking.status), rebooking_of(booking)
    may_be_told, repeats = policies.can_mark_told(acting, booking), outbox.trying(booking)
    return BookingPage(
        booking=booking,
        banner=banner(booking.patient),
        heading=_HEADINGS[status],
        status=status.label,
        tone=TONES[status],
        appointment=appointment_rows(booking),
        patient=patient_rows(booking.patient),
        history=[history_step(change, booking) for change in history_of(booking)],
        rebooking=rebooking_state(plan) if plan else None,
        replaces=plan.cancelled if plan and plan.booked_id == booking.pk else None,
        replaced_by=plan.booked if plan and plan.cancelled_id == booking.pk else None,
        can_cancel=policies.can_cancel(acting, booking, now),
        can_rebook=policies.can_rebook(acting, booking, now),
        can_check_again=policies.can_check_again(acting, booking),
        must_tell=may_be_told and booking.patient_told_at is None,
        trying=trying_words(repeats, now=now),
        keeps_trying=repeats.is_sending or repeats.next_at is not None,
    )


def booking_rows(bookings: Iterable[Booking]) -> list[dict[str, Any]]:
    """Lines of the list of sent bookings."""
    return [
        {
            "booking": booking,
            "patient": short_name(booking),
            "status": BookingStatus(booking.status).label,
            "tone": TONES[BookingStatus(booking.status)],
        }
        for booking in bookings
    ]


def short_name(booking: Booking) -> str:
    family = booking.patient.family_name.upper()
    return ", ".join(part for part in (family, booking.patient.given_names) if part) or "Name not known"


def history_step(change: BookingStatusChange, booking: Booking) -> Step:
    """An answer came from the service, whoever's message it answers."""
    who = booking.service.name if change.event in _ANSWERS else change.actor_label
    return Step(_EVENT_WORDS.get(change.event, change.event), who, change.at, change.note)


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Half-done and unclear things first: the patient may have no appointment, or two."""
    counts = attention_counts(acting)
    listed = reverse("bookings:list")
    yield AttentionItem("rebookings without a new appointment", counts.half_rebooked, listed, urgent=True)
    yield AttentionItem("bookings not known", counts.not_known, f"{listed}?status=unknown", urgent=True)
    yield AttentionItem("patients to tell", counts.to_tell, listed)
