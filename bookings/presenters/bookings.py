"""One booking that we sent: how it stands, in plain words, and what can be done next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.correspondence.explanations import trying_words
from bars_portal.correspondence.history import Step
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.nhsuk.words import listed_name
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from bookings import policies, ports
from bookings.models import Booking, BookingStatusChange, Rebooking
from bookings.presenters.slots import appointment_rows, lateness
from bookings.selectors.sent import (
    OfToday,
    Waiting,
    attention_counts,
    history_of,
    is_told_with_new,
    later_booking,
    rebooking_of,
    sent_bookings,
    told_together,
)
from bookings.states import VIEW_PERMISSION, BookingEvent, BookingStatus


class RebookingState(StrEnum):
    CANCELLING = "cancelling"
    CANCEL_REFUSED = "cancel-refused"
    CANCEL_UNKNOWN = "cancel-unknown"
    REFERRING = "referring"
    NOT_REFERRED = "not-referred"
    BOOKING = "booking"
    DONE = "done"
    NOT_BOOKED = "not-booked"
    BOOKING_UNKNOWN = "booking-unknown"
    NOT_AS_ASKED = "not-as-asked"
    NO_LONGER_WANTED = "no-longer-wanted"


_ALARMS = (
    RebookingState.NOT_REFERRED,
    RebookingState.NOT_BOOKED,
    RebookingState.BOOKING_UNKNOWN,
    RebookingState.NOT_AS_ASKED,
)


@dataclass(frozen=True)
class RebookingProgress:
    """`sentence` is what the page says; `is_alarm`: the patient may have no appointment, so say it loudly."""

    state: RebookingState
    sentence: str

    @property
    def is_alarm(self) -> bool:
        return self.state in _ALARMS

    @property
    def is_certain(self) -> bool:
        return self.state in (RebookingState.NOT_BOOKED, RebookingState.NOT_REFERRED)


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
    BookingStatus.NOT_AS_ASKED: (
        RebookingState.NOT_AS_ASKED,
        f"{_OLD_IS_GONE} The service booked something else than we asked for. Do not tell the patient yet.",
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
    if rebooking.ended_at is not None:
        return RebookingProgress(
            RebookingState.NO_LONGER_WANTED,
            f"{_OLD_IS_GONE} No new one was booked, and none is wanted any more.",
        )
    if rebooking.booked is None:
        renewal = ports.renewal_progress.provider(rebooking.cancelled, False)
        if renewal is not None and renewal.waits and rebooking.draft_id is not None:
            return _before_the_second_half(renewal)
        sentence = f"{_OLD_IS_GONE} No new one was booked: the patient has no appointment. Choose a new time."
        return RebookingProgress(RebookingState.NOT_BOOKED, sentence)
    return _second_half(BookingStatus(rebooking.booked.status), rebooking.booked.explanation)


def _before_the_second_half(renewal: ports.RenewalProgress) -> RebookingProgress:
    if renewal.is_stuck:
        sentence = (
            f"{_OLD_IS_GONE} {renewal.words} So no new appointment was booked: the patient has none. "
            "Choose a time again to book without waiting for the referral."
        )
        return RebookingProgress(RebookingState.NOT_REFERRED, sentence)
    sentence = f"{_OLD_IS_GONE} {renewal.words} The new appointment is booked as soon as that is done."
    return RebookingProgress(RebookingState.REFERRING, sentence)


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
    BookingStatus.NOT_AS_ASKED: "attention",
    BookingStatus.REFUSED: "failed",
    BookingStatus.UNKNOWN: "attention",
    BookingStatus.CANCELLING: "working",
    BookingStatus.CANCEL_UNKNOWN: "attention",
    BookingStatus.CANCELLED: "neutral",
    BookingStatus.ENTERED_IN_ERROR: "neutral",
    BookingStatus.ATTENDED: "done",
    BookingStatus.DID_NOT_ATTEND: "attention",
}
_HEADINGS: Mapping[BookingStatus, str] = {
    BookingStatus.REQUESTED: "Still confirming",
    BookingStatus.BOOKED: "Appointment booked",
    BookingStatus.NOT_AS_ASKED: "Not booked as we asked",
    BookingStatus.REFUSED: "Not booked",
    BookingStatus.UNKNOWN: "We do not know yet whether this is booked",
    BookingStatus.CANCELLING: "Cancelling",
    BookingStatus.CANCEL_UNKNOWN: "We do not know yet whether this is cancelled",
    BookingStatus.CANCELLED: "Appointment cancelled",
    BookingStatus.ENTERED_IN_ERROR: "Entered in error",
    BookingStatus.ATTENDED: "Attended",
    BookingStatus.DID_NOT_ATTEND: "Did not attend",
}
FILTERS: Mapping[Waiting | OfToday, str] = {
    Waiting.HALF_REBOOKED: "Rebookings without a new appointment",
    Waiting.NOT_AS_ASKED: "Bookings not as asked for",
    Waiting.NOT_KNOWN: "Bookings and cancellations not known",
    Waiting.TO_TELL: "Patients to tell",
    OfToday.STARTS: "Appointments today that you booked elsewhere",
    OfToday.ASKED: "Bookings asked for today",
}
EVENT_WORDS: Mapping[str, str] = {
    BookingEvent.REQUEST: "Asked the service to book",
    BookingEvent.CONFIRM: "The service confirmed the booking",
    BookingEvent.CONFIRM_OTHER: "The service holds something else than we asked for",
    BookingEvent.ACCEPT_OTHER: "Took what the service holds",
    BookingEvent.REFUSE: "The service did not book",
    BookingEvent.LOSE: "No clear answer came back",
    BookingEvent.CHECK_AGAIN: "Sent again to find out",
    BookingEvent.REQUEST_CANCEL: "Asked the service to cancel",
    BookingEvent.CONFIRM_CANCEL: "The service confirmed the cancellation",
    BookingEvent.REFUSE_CANCEL: "The service did not cancel",
    BookingEvent.REFUSE_CANCEL_OTHER: "The service did not cancel",
    BookingEvent.LOSE_CANCEL: "No clear answer to the cancellation came back",
    BookingEvent.CHECK_CANCEL_AGAIN: "Sent the cancellation again to find out",
    BookingEvent.FIND_CANCELLED: "Found cancelled by the service",
    BookingEvent.END_REBOOKING: "No new appointment is wanted any more",
    BookingEvent.RECEIVE: "Received and booked",
    BookingEvent.RECEIVE_CANCEL: "Cancelled by the sender",
    BookingEvent.RECEIVE_ENTERED_IN_ERROR: "Marked as entered in error by the sender",
    BookingEvent.MOVE: "Moved to another time",
    BookingEvent.CANCEL_HERE: "Cancelled by the service",
    BookingEvent.ATTEND: "Attended",
    BookingEvent.MISS: "Did not attend",
    BookingEvent.NOTE: "Note",
}
# It may bring the patient to the service.
_STANDS = (BookingStatus.REQUESTED, BookingStatus.UNKNOWN, BookingStatus.BOOKED)
_ANSWERS = frozenset(
    {
        BookingEvent.CONFIRM,
        BookingEvent.CONFIRM_OTHER,
        BookingEvent.REFUSE,
        BookingEvent.CONFIRM_CANCEL,
        BookingEvent.REFUSE_CANCEL,
        BookingEvent.REFUSE_CANCEL_OTHER,
        BookingEvent.FIND_CANCELLED,
    }
)


@dataclass(frozen=True)
class BookingPage:
    """Everything that the page of one booking shows.

    `lateness`: it is after the time by which the patient is to be seen. `tell_too`: earlier appointments that
    the patient is told of at the same time; `is_told_with_new`: of this one, with the one that replaced it.
    """

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
    # The appointment that was cancelled for a new one, where it may be said that none is wanted any more.
    may_end: Booking | None
    can_check_again: bool
    can_settle: bool
    can_accept: bool
    lateness: str
    # Of one that was refused: what was asked for instead since.
    later: Booking | None
    must_tell: bool
    tell_too: list[Booking]
    is_told_with_new: bool
    owed: ports.Owed | None
    trying: str
    keeps_trying: bool

    @property
    def stamp(self) -> str:
        """Another one when the booking has changed."""
        return self.booking.updated_at.isoformat()

    @property
    def is_working(self) -> bool:
        referring = self.rebooking is not None and self.rebooking.state is RebookingState.REFERRING
        return referring or self.booking.status in (BookingStatus.REQUESTED, BookingStatus.CANCELLING)

    @property
    def is_booked(self) -> bool:
        return self.booking.status == BookingStatus.BOOKED

    @property
    def is_not_as_asked(self) -> bool:
        return self.booking.status == BookingStatus.NOT_AS_ASKED

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
    with_new = is_told_with_new(booking, plan)
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
        may_end=_may_end(acting, plan),
        can_check_again=policies.can_check_again(acting, booking),
        can_settle=policies.can_settle(acting, booking),
        can_accept=policies.can_accept(acting, booking),
        lateness=lateness(booking, ports.time_frame.provider(booking.journey)) if status in _STANDS else "",
        later=later_booking(booking) if status is BookingStatus.REFUSED else None,
        must_tell=may_be_told and booking.patient_told_at is None and not with_new,
        tell_too=told_together(booking) if may_be_told and booking.patient_told_at is None else [],
        is_told_with_new=with_new,
        owed=ports.owed.provider(booking, acting),
        trying=trying_words(repeats, now=now),
        keeps_trying=repeats.is_sending or repeats.next_at is not None,
    )


def _may_end(acting: Acting, plan: Rebooking | None) -> Booking | None:
    """Said on the page of either half."""
    if plan is None or not policies.can_end_rebooking(acting, plan.cancelled):
        return None
    return plan.cancelled


def booking_rows(bookings: Iterable[Booking]) -> list[dict[str, Any]]:
    """Lines of the list of sent bookings."""
    return [
        {
            "booking": booking,
            "patient": short_name(booking),
            "status": BookingStatus(booking.status).label,
            "tone": TONES[BookingStatus(booking.status)],
            "is_only_asked": booking.status == BookingStatus.NOT_AS_ASKED,
        }
        for booking in bookings
    ]


def short_name(booking: Booking) -> str:
    patient = booking.patient
    return listed_name(patient.family_name, patient.given_names, patient.died)


def history_step(change: BookingStatusChange, booking: Booking) -> Step:
    """An answer came from the service, whoever's message it answers."""
    who = booking.service.name if change.event in _ANSWERS else change.actor_label
    return Step(EVENT_WORDS.get(change.event, change.event), who, change.at, change.note)


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Half-done and unclear first: the patient may have no appointment, or two. Then how the day goes."""
    if not acting.may(VIEW_PERMISSION[Direction.SENT]):
        return
    counts = attention_counts(acting)
    for each, label in FILTERS.items():
        words, listed = (
            f"{label[0].lower()}{label[1:]}",
            reverse("bookings:list", query={"status": each.value}),
        )
        if isinstance(each, Waiting):
            yield AttentionItem(words, counts[each], listed, urgent=each is not Waiting.TO_TELL)
        else:
            found = sent_bookings(acting, chosen=each, now=now).count()
            yield AttentionItem(words, found, listed, is_figure=True)
