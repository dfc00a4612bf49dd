"""A booking or cancellation without a clear answer goes out again by itself, and never twice in effect."""

from datetime import timedelta

import pytest

from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange import outbox
from bars_portal.exchange.models import OBSOLETE, DeliveryState, OutboundMessage, PartnerCircuit
from bookings.models import Booking
from bookings.services.settling import check_again
from bookings.states import BookingStatus
from tests.factories.bookings import NOW
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.bookings.test_whole_way import cancel

LATER = timedelta(hours=2)


def lost(desk: Desk, *, arrived: bool = True) -> Booking:
    booking = desk.request()
    (desk.network.after if arrived else desk.network.before).append(timeout)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN
    return booking


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "never-arrived"])
def test_it_is_booked_once_without_anybody(desk: Desk, arrived: bool) -> None:
    booking = lost(desk, arrived=arrived)
    assert "still trying by ourselves; do not book another" in booking.explanation
    assert desk.network.deliver_due(after=LATER) == [DeliveryState.ACCEPTED]
    booking.refresh_from_db()
    theirs = Booking.objects.get(direction=Direction.RECEIVED)
    assert (booking.status, booking.reference, booking.explanation) == ("booked", theirs.reference, "")
    assert [each.event for each in booking.changes.all()] == ["request", "lose", "confirm"]


def test_it_may_be_refused_at_last(desk: Desk) -> None:
    booking = lost(desk, arrived=False)
    desk.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.REFUSED
    assert booking.explanation == "Somebody else took this time. Choose another slot."


def test_when_it_was_tried_to_the_end_a_person_is_asked(desk: Desk) -> None:
    booking = lost(desk, arrived=False)
    states = []
    while (message := OutboundMessage.objects.filter(state=DeliveryState.UNKNOWN).first()) is not None:
        # Each right when it is due: the last one before the deadline of a booking.
        assert message.next_attempt_at is not None
        desk.network.before.append(timeout)
        states += desk.network.deliver_due(after=message.next_attempt_at - desk.network.now)
        PartnerCircuit.objects.all().delete()
    booking.refresh_from_db()
    assert (len(states), states[-1]) == (6, DeliveryState.ABANDONED)
    assert booking.status == BookingStatus.UNKNOWN
    assert "Check again; do not book another" in booking.explanation
    assert [each.event for each in booking.changes.all()] == ["request", "lose", "lose"]
    check_again(booking=booking, acting=desk.acting, now=NOW)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED


def test_nobody_checks_what_is_being_sent(desk: Desk) -> None:
    booking = lost(desk)
    OutboundMessage.objects.update(state=DeliveryState.SENDING)
    with pytest.raises(TransitionRefused):
        check_again(booking=booking, acting=desk.acting, now=NOW)
    booking.refresh_from_db()
    assert (booking.status, outbox.trying(booking).is_sending) == (BookingStatus.UNKNOWN, True)


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "never-arrived"])
def test_a_cancellation_arrives_by_itself(desk: Desk, arrived: bool) -> None:
    booking = cancel(desk, desk.book())
    (desk.network.after if arrived else desk.network.before).append(timeout)
    desk.network.deliver_all()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCEL_UNKNOWN
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCELLED


@pytest.mark.parametrize("status", [BookingStatus.CANCELLED, BookingStatus.BOOKED])
def test_what_was_settled_otherwise_is_not_sent_again(desk: Desk, status: BookingStatus) -> None:
    booking = lost(desk)
    Booking.objects.filter(pk=booking.pk).update(status=status)
    sent = len(desk.network.requests)
    assert desk.network.deliver_due(after=LATER) == [DeliveryState.ABANDONED]
    assert len(desk.network.requests) == sent
    assert OutboundMessage.objects.get().reason == OBSOLETE
    booking.refresh_from_db()
    assert booking.status == status
