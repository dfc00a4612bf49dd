"""Two people hold the same row as it was: the first changes it, the second hears so and changes nothing."""

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction, TransitionRefused
from bookings.models import Booking
from bookings.services.history import change_status
from bookings.states import BookingEvent
from referrals.cases.history import change_case
from referrals.cases.states import CaseEvent
from referrals.responding.local import assign_case
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, make_booking
from tests.factories.referrals import make_case

pytestmark = pytest.mark.django_db


def test_a_booking_is_ended_once() -> None:
    booking, actor = make_booking(direction=Direction.RECEIVED), make_acting().actor
    same = Booking.objects.get(pk=booking.pk)
    change_status(booking=booking, event=BookingEvent.RECEIVE_CANCEL, actor=actor, now=NOW)
    with pytest.raises(TransitionRefused):
        change_status(booking=same, event=BookingEvent.RECEIVE_ENTERED_IN_ERROR, actor=actor, now=NOW)
    assert Booking.objects.get(pk=booking.pk).status == booking.status == "cancelled"
    assert booking.changes.count() == 1


def test_a_case_is_decided_once() -> None:
    case, actor = make_case(), make_acting().actor
    same = type(case).objects.get(pk=case.pk)
    change_case(case=case, event=CaseEvent.REJECT, actor=actor, now=NOW)
    with pytest.raises(TransitionRefused):
        change_case(case=same, event=CaseEvent.ACCEPT, actor=actor, now=NOW)
    assert type(case).objects.get(pk=case.pk).status == case.status == "rejected"


def test_a_case_is_taken_by_one() -> None:
    case = make_case()
    first, second = (make_acting(organisation=case.organisation) for _ in range(2))
    assign_case(case=case, to=first.user, seen=None, acting=first, now=NOW)
    same = type(case).objects.get(pk=case.pk)
    with pytest.raises(PolicyRefused, match="meanwhile"):
        assign_case(case=same, to=second.user, seen=None, acting=second, now=NOW)
    assert type(case).objects.get(pk=case.pk).assigned_to == first.user
