"""Reads: only what the person may see, and what waits for somebody."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bars_portal.accounts.home import items_for
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from bookings.models import Rebooking, SlotStatus
from bookings.selectors.sent import OfToday, Waiting, attention_counts, booking_for, sent_bookings
from bookings.selectors.slots import diary_of, diary_services
from bookings.states import BookingStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, TOMORROW, make_booking, make_schedule, make_slot

pytestmark = pytest.mark.django_db


def test_only_the_own_organisations_bookings() -> None:
    acting = make_acting()
    mine = make_booking(organisation=acting.organisation)
    other = make_booking()
    assert list(sent_bookings(acting)) == [mine]
    assert booking_for(acting, mine.pk) == mine
    assert booking_for(acting, other.pk) is None
    assert booking_for(acting, uuid4()) is None
    manager = make_acting(role=Role.MANAGER, organisation=acting.organisation)
    assert list(sent_bookings(manager)) == []
    assert booking_for(manager, mine.pk) is None


def test_a_status_narrows_the_list() -> None:
    acting = make_acting()
    booked = make_booking(organisation=acting.organisation)
    refused = make_booking(organisation=acting.organisation, status=BookingStatus.REFUSED)
    assert set(sent_bookings(acting)) == {booked, refused}
    assert set(sent_bookings(acting, chosen=BookingStatus.REFUSED)) == {refused}
    assert set(sent_bookings(acting, chosen=BookingStatus.CANCELLED)) == set()


def test_the_diary_of_a_day_with_who_comes() -> None:
    schedule = make_schedule()
    first = make_slot(schedule=schedule, status=SlotStatus.BUSY)
    second = make_slot(schedule=schedule, start=first.end)
    make_slot(schedule=schedule, start=TOMORROW + timedelta(days=1))
    booking = make_booking(direction=Direction.RECEIVED, service=schedule.service, slot=first)
    manager = make_acting(role=Role.MANAGER, organisation=schedule.service.provider)
    assert diary_services(manager) == [schedule.service]
    entries = diary_of(manager, schedule.service, TOMORROW.date())
    assert [(each.slot, each.booking) for each in entries] == [(first, booking), (second, None)]
    stranger = make_acting(role=Role.MANAGER)
    assert diary_of(stranger, schedule.service, TOMORROW.date()) == []
    assert diary_services(stranger) == []
    engineer = make_acting(role=Role.ENGINEER, organisation=schedule.service.provider)
    assert diary_of(engineer, schedule.service, TOMORROW.date()) == []


def test_what_waits_for_somebody() -> None:
    acting = make_acting()
    ours = acting.organisation
    make_booking(organisation=ours, status=BookingStatus.UNKNOWN)
    make_booking(organisation=ours, status=BookingStatus.NOT_AS_ASKED)
    make_booking(organisation=ours, status=BookingStatus.BOOKED)
    cancelled = make_booking(organisation=ours, status=BookingStatus.CANCELLED, patient_told_at=NOW)
    Rebooking.objects.create(
        cancelled=cancelled,
        booked=make_booking(organisation=ours, status=BookingStatus.REFUSED),
        started_at=NOW,
    )
    make_booking(status=BookingStatus.UNKNOWN)
    assert attention_counts(acting) == dict.fromkeys(Waiting, 1)
    labels = [
        item.label
        for item in items_for(acting, datetime.now(UTC)).waiting
        if "book" in item.label or "tell" in item.label
    ]
    assert labels == [
        "rebookings without a new appointment",
        "bookings not as asked for",
        "bookings and cancellations not known",
        "patients to tell",
    ]
    assert attention_counts(make_acting(role=Role.ENGINEER)) == dict.fromkeys(Waiting, 0)


@pytest.mark.parametrize(
    ("moment", "status", "starts", "asked"),
    [
        ("2026-06-30 23:00", BookingStatus.BOOKED, 1, 1),
        ("2026-06-30 22:59", BookingStatus.BOOKED, 0, 0),
        ("2026-07-01 22:59", BookingStatus.UNKNOWN, 1, 1),
        ("2026-07-01 23:00", BookingStatus.BOOKED, 0, 0),
        ("2026-07-01 12:00", BookingStatus.CANCELLED, 0, 1),
        ("2026-07-01 12:00", BookingStatus.REFUSED, 0, 1),
    ],
)
def test_today_is_a_day_in_london(moment: str, status: BookingStatus, starts: int, asked: int) -> None:
    acting, now = make_acting(), datetime(2026, 7, 1, 9, tzinfo=UTC)
    when = datetime.fromisoformat(f"{moment}+00:00")
    make_booking(organisation=acting.organisation, status=status, start=when, created_at=when)
    for chosen, count in ((OfToday.STARTS, starts), (OfToday.ASKED, asked)):
        assert sent_bookings(acting, chosen=chosen, now=now).count() == count, chosen
