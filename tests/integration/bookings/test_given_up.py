"""A booking whose deadline has passed: what people are told, and what a late success changes."""

from datetime import datetime, timedelta

from bars_portal.correspondence.explanations import LATE
from bars_portal.exchange import settlement
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.registry import message_type
from bars_portal.exchange.selectors import given_up
from bookings.explanations import BOOKING
from bookings.models import Booking
from bookings.states import BookingStatus
from tests.factories.bookings import NOW
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import timeout

HOUR = timedelta(hours=1)


def after_deadline(booking: Booking, now: datetime) -> OutboundMessage:
    message = OutboundMessage.objects.get(subject_id=str(booking.pk))
    assert settlement.overdue_messages(now=now) == [message.pk]
    assert settlement.give_up(message.pk, now=now) == DeliveryState.ABANDONED
    booking.refresh_from_db()
    message.refresh_from_db()
    return message


def test_a_booking_is_not_tried_past_the_start_of_its_time(desk: Desk) -> None:
    slot = desk.slots[0]
    message = OutboundMessage(subject_id=str(desk.request().pk))
    written = OutboundMessage.objects.get(subject_id=message.subject_id)
    assert written.abandon_at == NOW + HOUR < slot.start
    kind = message_type("booking-new")
    soon = Booking(start=NOW + timedelta(minutes=20))
    begun = Booking(start=NOW - HOUR)
    assert kind.abandon_at(soon, now=NOW) == soon.start
    assert NOW < kind.abandon_at(begun, now=NOW) <= NOW + timedelta(minutes=5)


def test_what_never_went_out_is_not_booked_and_a_person_is_told(desk: Desk) -> None:
    booking = desk.request()
    message = after_deadline(booking, NOW + HOUR)
    assert (booking.status, booking.explanation) == (BookingStatus.REFUSED, BOOKING.never_sent)
    organisation = desk.acting.organisation.pk
    assert list(given_up(organisation, now=NOW + HOUR)) == [message]
    assert list(given_up(organisation, now=NOW + timedelta(days=8))) == []
    assert desk.network.deliver_all() == []


def test_a_late_success_is_told_loudly(desk: Desk) -> None:
    """The service had booked it, its answer was lost, and nobody learnt of it before the deadline."""
    booking = desk.request()
    desk.network.after.append(timeout)
    desk.network.deliver_all()
    now = NOW + HOUR
    message = after_deadline(booking, now)
    assert booking.status == BookingStatus.UNKNOWN
    assert "Check again; do not book another" in booking.explanation
    now += settlement.READ_BACK_AFTER[0]
    state = settlement.read_back_again(message.pk, client=desk.network.client, clock=lambda: now)
    booking.refresh_from_db()
    assert (state, booking.status) == (DeliveryState.ACCEPTED, BookingStatus.BOOKED)
    assert booking.explanation == LATE
    assert booking.changes.latest("at").note == LATE
    assert booking.patient_told_at is None, "home counts it as a task"
    message.refresh_from_db()
    assert list(given_up(desk.acting.organisation.pk, now=now)) == [message]
