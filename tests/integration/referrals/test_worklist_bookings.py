"""Received bookings on the worklist: when they are open, how they are filtered, and who sees them."""

from datetime import timedelta
from typing import Any

import pytest

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PERMISSIONS, Role
from bars_portal.correspondence.states import Direction
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.states import CaseStatus, Category
from referrals.worklist.query import CASES, Filters, Held, Kind, Order
from referrals.worklist.selectors import arrived_since, day_begins, worklist, worklist_counts
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking
from tests.factories.referrals import NOW, make_case, make_hub

pytestmark = pytest.mark.django_db
EVERYTHING = tuple(Kind)
BOOKINGS = (Kind.BOOKING,)


@pytest.fixture
def here() -> HealthcareService:
    return make_hub(provider=make_organisation(name="Riverside"), takes_bookings=True)


@pytest.fixture
def acting(here: HealthcareService) -> Acting:
    return make_acting(organisation=here.provider)


def booking(here: HealthcareService, hours: float, **changes: Any) -> Booking:
    start = NOW + timedelta(hours=hours)
    fields = {"reference": f"B{hours}", "sender_name": "Northern 111", **changes}
    return make_booking(service=here, direction=Direction.RECEIVED, start=start, **fields)


def ids(acting: Acting, order: Order = Order.BREACH, **filters: Any) -> list[Any]:
    chosen = Filters(**{"kinds": BOOKINGS, "bookings_from": day_begins(NOW), **filters})
    page = worklist(acting, filters=chosen, order=order)
    assert page.total == len(page.rows)
    return [row.id for row in page.rows]


def test_appointments_come_among_the_cases_when_they_are_due(here: HealthcareService, acting: Acting) -> None:
    late = booking(here, 5)
    soon = booking(here, 1)
    between = make_case(Category.VALIDATION, service=here, reference="V", breach_at=NOW + timedelta(hours=2))
    whenever = make_case(service=here, reference="R")
    assert ids(acting, kinds=EVERYTHING) == [soon.pk, between.pk, late.pk, whenever.pk]
    assert ids(acting, kinds=CASES) == [between.pk, whenever.pk]
    row = worklist(acting, filters=Filters(kinds=BOOKINGS)).rows[0]
    assert (row.kind, row.status, row.due_at) == (Kind.BOOKING, BookingStatus.BOOKED, soon.start)
    assert (row.requester_name, row.flags, row.assigned_to_name) == ("Northern 111", (), "")
    assert worklist_counts(acting, now=NOW).bookings == 2


def test_open_until_the_day_is_over(here: HealthcareService, acting: Acting) -> None:
    """NOW is 09:00 on a winter day."""
    this_morning, yesterday = booking(here, -8), booking(here, -10)
    gone = booking(here, 3, status=BookingStatus.CANCELLED)
    assert ids(acting) == [this_morning.pk]
    assert ids(acting, open=False) == [yesterday.pk, gone.pk]
    assert ids(acting, open=None) == [yesterday.pk, this_morning.pk, gone.pk]


@pytest.mark.parametrize(
    "filters",
    [
        {"priority": "C3"},
        {"flag": "SG"},
        {"held": Held.NOBODY},
        {"status": CaseStatus.RECEIVED},
        {"service_id": "2000000000"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_a_booking_cannot_have_leaves_it_out(
    here: HealthcareService, acting: Acting, filters: dict[str, Any]
) -> None:
    booking(here, 1)
    assert ids(acting, **filters) == []
    assert len(ids(acting, service_id=here.service_id)) == 1


def test_only_received_ones_of_the_organisation_and_for_who_may_see_them(
    here: HealthcareService, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking(make_hub(), 1)
    make_booking(organisation=here.provider, service=here)
    assert ids(acting) == []
    ours = booking(here, 1)
    assert ids(acting) == [ours.pk]
    less = PERMISSIONS[Role.CLINICIAN] - {"bookings.view_received_bookings"}
    monkeypatch.setitem(PERMISSIONS, Role.CLINICIAN, less)
    assert ids(make_acting(organisation=here.provider)) == []


def test_news_are_of_the_kinds_that_the_list_shows(here: HealthcareService, acting: Acting) -> None:
    booking(here, 1, created_at=NOW)
    make_case(service=here, reference="R", created_at=NOW)
    before = NOW - timedelta(minutes=1)
    found = [arrived_since(acting, before, kinds) for kinds in (CASES, BOOKINGS, EVERYTHING)]
    assert found == [1, 1, 2]
    assert arrived_since(acting, NOW, EVERYTHING) == 0
