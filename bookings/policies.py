"""Who may do what with a booking: `check_can_x` raises a sentence for the user, `can_x` is its boolean."""

from datetime import datetime

from bars_portal.accounts.acting import Acting, is_clinician
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.correspondence.differences import PATIENT, SERVICE, TIME
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.replies import times_of
from bars_portal.patients.models import Journey
from bookings import ports
from bookings.models import Booking, BookingDraft, Rebooking, WaitingEntry
from bookings.ports import TimeFrame
from bookings.states import RUN_DIARY, VIEW_PERMISSION, BookingStatus
from directory.capability import NO_BOOKINGS, accepts_booking, why_no_booking
from directory.models import HealthcareService, ServiceCapability
from directory.policies import why_unreachable
from directory.selectors.services import capability_of


def check_can_book(acting: Acting, service: HealthcareService) -> None:
    need(acting.may("bookings.book_slot"), "You are not allowed to book appointments.")
    check_is_booked(service)


def check_is_booked(service: HealthcareService) -> None:
    """By whoever may."""
    need(service.active, "This service is closed. Choose another service.")
    need(service.takes_bookings, "This service does not take bookings. Choose another service.")
    need(bool(service.accepted_use_cases), "This service takes no bookings from us. Choose another service.")


def check_reachable(service: HealthcareService, now: datetime) -> None:
    """Its endpoint, where the directory has one, can be used now."""
    reason = why_unreachable(service, now=now)
    need(not reason, f"{reason} Choose another service.")


def check_accepts_bookings(service: HealthcareService, capability: ServiceCapability | None) -> None:
    """By the service's own word, as far as there is one (standard section 8)."""
    reason = why_no_booking(service, capability)
    need(not reason, reason)


def check_draft_is_accepted(draft: BookingDraft, now: datetime) -> None:
    """The kind of booking, by what the service was last heard to say: nothing is asked here."""
    capability = capability_of(draft.service, now=now)
    check_accepts_bookings(draft.service, capability)
    need(accepts_booking(capability, draft.use_case), NO_BOOKINGS)


def check_can_use_draft(acting: Acting, draft: BookingDraft, now: datetime) -> None:
    ours = draft.organisation_id == acting.organisation.pk and draft.user_id == acting.user.pk
    need(ours, "This booking was started by somebody else.")
    check_can_book(acting, draft.service)
    check_draft_is_accepted(draft, now)
    check_time_frame(draft)
    if draft.replaces is not None:
        over = draft.replaces.status == BookingStatus.CANCELLED
        need(over, "The old appointment is not cancelled yet, so a new one cannot be booked in its place.")
        _check_not_replaced(draft.replaces)


def frame_missed_by(draft: BookingDraft) -> TimeFrame | None:
    """The time frame that the chosen time lies outside of; None when it fits, or when there is none."""
    journey = draft.replaces.journey if draft.replaces is not None else draft.journey
    return frame_missed_at(draft.start, journey)


def frame_missed_at(start: datetime, journey: Journey | None) -> TimeFrame | None:
    """The same of a time that nobody has chosen yet."""
    frame = ports.time_frame.provider(journey) if journey is not None else None
    return None if frame is None or frame.holds(start) else frame


def lacks_approval(draft: BookingDraft) -> bool:
    """Outside the time frame, and no clinician has said yes to this very time."""
    return draft.approved_by_id is None and frame_missed_by(draft) is not None


def check_time_frame(draft: BookingDraft) -> None:
    """Standard section 9, workflow 1: outside the assessment's time frame a clinician has said yes to it."""
    sentence = "This time is outside the time frame of the assessment. A clinician has to approve it first."
    need(not lacks_approval(draft), sentence)


def check_can_approve(acting: Acting, draft: BookingDraft, approver: User) -> None:
    """Clinicians answer for themselves; everybody else names one who does."""
    ours = draft.organisation_id == acting.organisation.pk and draft.user_id == acting.user.pk
    need(ours, "This booking was started by somebody else.")
    own = approver.pk == acting.user.pk and acting.may("bookings.book_outside_time_frame")
    named = not acting.may("bookings.book_outside_time_frame") and is_clinician(approver, acting.organisation)
    need(own or named, "Choose a clinician of your organisation who approves this time.")


def check_can_cancel(acting: Acting, booking: Booking, now: datetime) -> None:
    need(acting.may("bookings.cancel_booking"), "You are not allowed to cancel appointments.")
    _check_ours(acting, booking)
    _check_open(booking, now)


def check_can_rebook(acting: Acting, booking: Booking, now: datetime) -> None:
    """Also when the old appointment is cancelled and has no successor: the second half may be tried again."""
    need(acting.may("bookings.rebook_booking"), "You are not allowed to rebook appointments.")
    _check_ours(acting, booking)
    if booking.status == BookingStatus.CANCELLED:
        _check_not_replaced(booking)
    else:
        _check_open(booking, now)


def check_can_end_rebooking(acting: Acting, booking: Booking) -> None:
    """Say that no new appointment is wanted in the place of a cancelled one."""
    need(acting.may("bookings.rebook_booking"), "You are not allowed to rebook appointments.")
    _check_ours(acting, booking)
    plan = Rebooking.objects.filter(cancelled=booking, ended_at=None).first()
    half_done = plan is not None and booking.status == BookingStatus.CANCELLED
    need(half_done, "No new appointment is waited for in the place of this one.")
    _check_not_replaced(booking)
    new = plan.booked if plan else None
    later = new is not None and new.status == BookingStatus.CANCELLED
    need(not later, "The new appointment was booked, and cancelled later.")


def check_can_check_again(acting: Acting, booking: Booking) -> None:
    need(acting.may("bookings.book_slot"), "You are not allowed to book appointments.")
    _check_ours(acting, booking)
    unknown = booking.status in (BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN)
    need(unknown, "The outcome is known or on its way, so there is nothing to check.")


def check_can_mark_told(acting: Acting, booking: Booking) -> None:
    need(acting.may("bookings.book_slot"), "You are not allowed to book appointments.")
    _check_ours(acting, booking)
    settled = booking.status in (BookingStatus.BOOKED, BookingStatus.CANCELLED)
    need(settled, "There is nothing to tell the patient until the outcome is known.")


def check_can_settle(acting: Acting, booking: Booking) -> None:
    """Ask the service again what it holds of a booking that is not as asked."""
    need(acting.may("bookings.book_slot"), "You are not allowed to book appointments.")
    _check_ours(acting, booking)
    other = booking.status == BookingStatus.NOT_AS_ASKED
    need(other, "The service holds this appointment as it was asked for.")


def check_can_accept(acting: Acting, booking: Booking) -> None:
    """Take the time that the service holds, when it is for the right person at the right service."""
    check_can_settle(acting, booking)
    _check_right_person(booking)
    held, whats = times_of(booking.resource), {each["what"] for each in booking.differences or []}
    clear = None not in held and (TIME not in whats or held != (booking.start, booking.end))
    need(clear, "The service does not say clearly which time it holds.")


def check_can_view(acting: Acting, booking: Booking) -> None:
    ours = booking.organisation_id == acting.organisation.pk
    need(ours, "This appointment belongs to another organisation.")
    need(acting.may(VIEW_PERMISSION[booking.direction]), "You are not allowed to see this appointment.")


def can_book(acting: Acting, service: HealthcareService) -> bool:
    return allowed(lambda: check_can_book(acting, service))


def can_cancel(acting: Acting, booking: Booking, now: datetime) -> bool:
    return allowed(lambda: check_can_cancel(acting, booking, now))


def can_rebook(acting: Acting, booking: Booking, now: datetime) -> bool:
    return allowed(lambda: check_can_rebook(acting, booking, now))


def can_end_rebooking(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_end_rebooking(acting, booking))


def can_check_again(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_check_again(acting, booking))


def can_settle(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_settle(acting, booking))


def can_accept(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_accept(acting, booking))


def can_mark_told(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_mark_told(acting, booking))


def can_view(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_view(acting, booking))


def _check_ours(acting: Acting, booking: Booking) -> None:
    ours = booking.organisation_id == acting.organisation.pk and booking.direction == Direction.SENT
    need(ours, "Only the organisation that booked an appointment may change it.")


def _check_not_replaced(booking: Booking) -> None:
    """A patient has one appointment in the place of another, never two."""
    plan = Rebooking.objects.filter(cancelled=booking).select_related("booked").first()
    renewal = ports.renewal_progress.provider(booking, False)
    # What waits for a referral that does not come by itself may be booked without it.
    stuck = renewal is not None and renewal.waits and renewal.is_stuck
    waiting = plan is not None and plan.draft_id is not None and not stuck
    need(not waiting, "A new appointment is about to be booked in its place.")
    new = plan.booked if plan else None
    gone = new is None or new.status in (BookingStatus.REFUSED, BookingStatus.CANCELLED)
    need(gone, "A new appointment was already asked for in its place.")


def _check_open(booking: Booking, now: datetime) -> None:
    waiting = {
        BookingStatus.REQUESTED: "This appointment is still being confirmed. Wait for the answer first.",
        BookingStatus.UNKNOWN: "It is not known whether this appointment was booked. Check again first.",
        BookingStatus.CANCELLING: "This appointment is being cancelled already.",
        BookingStatus.CANCEL_UNKNOWN: "It is not known whether the cancellation arrived. Check again first.",
        BookingStatus.REFUSED: "This appointment was never booked.",
        BookingStatus.CANCELLED: "This appointment is cancelled already.",
        BookingStatus.ENTERED_IN_ERROR: "This appointment was entered in error.",
    }.get(BookingStatus(booking.status))
    if waiting is not None:
        raise PolicyRefused(waiting)
    if booking.status == BookingStatus.NOT_AS_ASKED:
        _check_right_person(booking)
    need(booking.start > now, "This appointment has already started, so it cannot be changed any more.")


def _check_right_person(booking: Booking) -> None:
    """Somebody else's appointment is neither ours to cancel nor to take."""
    others = {each["what"] for each in booking.differences or []} & {PATIENT, SERVICE}
    need(not others, "The service holds this for another person or service. Call the service.")


def check_can_run(acting: Acting, service: HealthcareService) -> None:
    """Change a diary of the service, and what is booked in it."""
    need(acting.may(RUN_DIARY), "You are not allowed to change diaries.")
    ours = service.provider_id == acting.organisation.pk and service.hosted
    need(ours, "This service belongs to another organisation.")


def check_can_close_waiting(acting: Acting, entry: WaitingEntry) -> None:
    """Whoever runs the service, and the person who found no time there."""
    own = entry.organisation_id == acting.organisation.pk and entry.user_id == acting.user.pk
    if not (own and acting.may("bookings.book_slot")):
        check_can_run(acting, entry.service)


def check_can_run_booking(acting: Acting, booking: Booking) -> None:
    """Move it, cancel it, say whether the patient came: of one that the service received."""
    check_can_run(acting, booking.service)
    need(booking.direction == Direction.RECEIVED, "Only what a service received is changed in its diary.")


def check_can_move(acting: Acting, booking: Booking) -> None:
    """Also when its time is over: a mistake may be put right on the same day."""
    check_can_run_booking(acting, booking)
    need(booking.status == BookingStatus.BOOKED, "This appointment does not stand any more.")


def check_can_say_attended(acting: Acting, booking: Booking, now: datetime) -> None:
    """Not before its time."""
    check_can_run_booking(acting, booking)
    kept = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
    need(booking.status in kept, "This appointment does not stand any more.")
    need(booking.start <= now, "This appointment has not started yet.")


def can_run_booking(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_run_booking(acting, booking))


def can_move(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_move(acting, booking))


def can_say_attended(acting: Acting, booking: Booking, now: datetime) -> bool:
    return allowed(lambda: check_can_say_attended(acting, booking, now))
