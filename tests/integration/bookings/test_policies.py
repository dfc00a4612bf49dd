"""Who may do what, when: every status of a booking, own and foreign."""

from datetime import timedelta

import pytest

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.correspondence.states import Direction
from bookings import policies
from bookings.models import Booking
from bookings.states import BookingStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, make_booking
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def acting() -> Acting:
    return make_acting()


def booking(acting: Acting, status: BookingStatus = BookingStatus.BOOKED) -> Booking:
    return make_booking(organisation=acting.organisation, status=status)


@pytest.mark.parametrize(
    ("status", "cancel", "rebook", "check", "told"),
    [
        (BookingStatus.REQUESTED, False, False, False, False),
        (BookingStatus.BOOKED, True, True, False, True),
        (BookingStatus.REFUSED, False, False, False, False),
        (BookingStatus.UNKNOWN, False, False, True, False),
        (BookingStatus.CANCELLING, False, False, False, False),
        (BookingStatus.CANCEL_UNKNOWN, False, False, True, False),
        (BookingStatus.CANCELLED, False, True, False, True),
        (BookingStatus.ENTERED_IN_ERROR, False, False, False, False),
    ],
)
def test_by_status(
    acting: Acting, status: BookingStatus, cancel: bool, rebook: bool, check: bool, told: bool
) -> None:
    mine = booking(acting, status)
    assert policies.can_cancel(acting, mine, NOW) is cancel
    assert policies.can_rebook(acting, mine, NOW) is rebook
    assert policies.can_check_again(acting, mine) is check
    assert policies.can_mark_told(acting, mine) is told


def test_what_has_started_cannot_be_changed(acting: Acting) -> None:
    mine = booking(acting)
    with pytest.raises(PolicyRefused, match="already started"):
        policies.check_can_cancel(acting, mine, mine.start + timedelta(seconds=1))


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ENGINEER, Role.AUDITOR])
def test_other_roles_only_look(role: Role) -> None:
    acting = make_acting(role=role)
    mine = booking(acting)
    assert not policies.can_cancel(acting, mine, NOW)
    assert not policies.can_rebook(acting, mine, NOW)
    assert not policies.can_book(acting, mine.service)
    assert policies.can_view(acting, mine) is (role is Role.AUDITOR)


def test_other_organisations_see_and_change_nothing(acting: Acting) -> None:
    theirs = booking(make_acting())
    assert not policies.can_cancel(acting, theirs, NOW)
    assert not policies.can_view(acting, theirs)


def test_what_was_received_is_not_ours_to_cancel() -> None:
    received = make_booking(direction=Direction.RECEIVED)
    acting = make_acting(organisation=received.organisation)
    assert not policies.can_cancel(acting, received, NOW)
    assert policies.can_view(acting, received)


@pytest.mark.parametrize("changes", [{"active": False}, {"takes_bookings": False}])
def test_services_that_take_no_bookings(acting: Acting, changes: dict[str, bool]) -> None:
    service = booking(acting).service
    assert policies.can_book(acting, service)
    for name, value in changes.items():
        setattr(service, name, value)
    assert not policies.can_book(acting, service)


def test_a_service_that_accepts_no_use_case_is_not_booked(acting: Acting) -> None:
    """Such as an address for replies: a booking needs a use case to name."""
    policies.check_can_book(acting, make_service())
    with pytest.raises(PolicyRefused):
        policies.check_can_book(acting, make_service(accepted_use_cases=[]))
