"""Clinics: whatever managers and bookers do, in any order and at once, no diary is wrong afterwards."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as quickly
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bookings.models import (
    Booking,
    Clinic,
    Schedule,
    Slot,
    SlotStatus,
)
from bookings.models.plan import Hours, Plan, Session
from bookings.selectors.clinics import plan_change, seen_at
from bookings.services.clinics import apply_plan, fill_clinics, last_run, switch, undo_run
from bookings.services.diaries import add_slots, block_range, free_range
from bookings.services.running import cancel_received, move_booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.directory import make_service
from tests.integration.bookings.running import book, bookable, check_diaries
from tests.profiles import examples

# Saturdays before the clocks go back, and before they go forward.
EVES = (datetime(2026, 10, 24, 6, 0, tzinfo=UTC), datetime(2027, 3, 27, 6, 0, tzinfo=UTC))
NOW = datetime(2026, 12, 21, 6, 0, tzinfo=UTC)
WEEK = tuple(range(7))


def hours(start: str, end: str) -> Hours:
    return Hours(time.fromisoformat(start), time.fromisoformat(end))


BASE = Plan(
    name="Clinic",
    first_day=date(2026, 1, 1),
    last_day=None,
    sessions=(Session(WEEK, hours("09:00", "11:00")),),
    slot_minutes=30,
    horizon_days=2,
)


def diaries_of(clinic: Clinic | None) -> list[Schedule]:
    return list(clinic.lanes.all()) if clinic else []


def applied(
    acting: Acting,
    service: HealthcareService,
    plan: Plan,
    now: datetime,
    clinic: Clinic | None = None,
    **other: Any,
) -> Clinic:
    """Previewed and applied, as the pages do."""
    from_day = other.pop("from_day", now.date())
    diaries = other.pop("diaries", None) or diaries_of(clinic)
    change = plan_change(plan, diaries=diaries, from_day=from_day, now=now)
    run = apply_plan(
        service=service,
        clinic=clinic,
        plan=plan,
        from_day=from_day,
        seen=seen_at(change, now),
        acting=acting,
        now=now,
        **other,
    )
    return run.clinic


def undone(clinic: Clinic, acting: Acting, now: datetime) -> Clinic | None:
    run = last_run(clinic)
    if run is None:
        return None
    plan = Plan.from_json(run.before) if run.before else None
    change = plan_change(plan, diaries=diaries_of(clinic), from_day=run.from_day, now=now)
    return undo_run(run=run, seen=seen_at(change, now), acting=acting, now=now)


@pytest.fixture
def manager(db: None) -> Acting:
    return make_acting(role=Role.MANAGER)


@pytest.fixture
def service(manager: Acting) -> HealthcareService:
    return make_service(provider=manager.organisation)


_plans = st.builds(
    replace,
    st.just(BASE),
    slot_minutes=st.sampled_from([20, 30, 45]),
    lanes=st.integers(1, 2),
    lead_minutes=st.sampled_from([0, 24 * 60]),
    horizon_days=st.integers(1, 3),
    sessions=st.sampled_from(
        [
            (Session(WEEK, hours("09:00", "11:00")),),
            (Session(WEEK, hours("00:00", "03:00")), Session((6,), hours("22:00", "00:00"))),
            (Session((0, 5, 6), hours("09:15", "10:45")),),
        ]
    ),
    breaks=st.sampled_from([(), (hours("09:30", "10:10"),), (hours("01:30", "02:00"),)]),
)


class Running(RuleBasedStateMachine):
    """One clinic, with everybody who may do something to it, from the day before the clocks change."""

    @initialize(now=st.sampled_from(EVES), plan=_plans)
    def begin(self, now: datetime, plan: Plan) -> None:
        self.sid = transaction.savepoint()
        self.now = now
        self.manager = make_acting(role=Role.MANAGER)
        self.service = make_service(provider=self.manager.organisation)
        self.clinic = applied(self.manager, self.service, plan, now)

    def teardown(self) -> None:
        if hasattr(self, "sid"):
            transaction.savepoint_rollback(self.sid)

    @rule(plan=_plans)
    def change(self, plan: Plan) -> None:
        self.clinic.refresh_from_db()
        applied(self.manager, self.service, plan, self.now, self.clinic)

    @rule()
    def undo(self) -> None:
        undone(self.clinic, self.manager, self.now)

    @rule(on=st.booleans())
    def switch(self, on: bool) -> None:
        self.clinic.refresh_from_db()
        if self.clinic.filled_until:
            switch(clinic=self.clinic, on=on, acting=self.manager, now=self.now)

    @rule(place=st.integers(0, 40))
    def book(self, place: int) -> None:
        offered = sorted(bookable(self.now))
        if offered:
            assert book(Slot.objects.get(pk=offered[place % len(offered)]), self.now)

    @rule(place=st.integers(0, 40))
    def cancel(self, place: int) -> None:
        if booking := self._booked(place):
            cancel_received(booking=booking, reason="Ill", acting=self.manager, now=self.now)

    @rule(place=st.integers(0, 40), other=st.integers(0, 40))
    def move(self, place: int, other: int) -> None:
        booking, slots = self._booked(place), list(Slot.objects.order_by("pk"))
        if booking and slots:
            try:
                with transaction.atomic():
                    slot = slots[other % len(slots)]
                    move_booking(
                        booking=booking, slot_id=slot.pk, reason="", acting=self.manager, now=self.now
                    )
            except PolicyRefused:
                assert Slot.objects.get(pk=slot.pk).status != SlotStatus.FREE or not slot.schedule.active

    def _booked(self, place: int) -> Booking | None:
        booked = list(Booking.objects.filter(status=BookingStatus.BOOKED).order_by("reference"))
        return booked[place % len(booked)] if booked else None

    @rule(hour=st.integers(0, 71), length=st.integers(1, 4), free=st.booleans())
    def block(self, hour: int, length: int, free: bool) -> None:
        start = self.now + timedelta(hours=hour)
        given: dict[str, Any] = {
            "diaries": [each.pk for each in diaries_of(self.clinic)],
            "start": start,
            "end": start + timedelta(hours=length),
            "actor": self.manager.actor,
            "now": self.now,
        }
        if free:
            free_range(**given)
        else:
            block_range(**given, reason="Meeting")

    @rule(hour=st.integers(0, 50))
    def add(self, hour: int) -> None:
        start = self.now + timedelta(hours=hour)
        for diary in diaries_of(self.clinic)[:1]:
            times = [(start, start + timedelta(minutes=25))]
            add_slots(schedule=diary, times=times, actor=self.manager.actor, now=self.now)

    @rule(hours=st.integers(1, 20))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        fill_clinics(now=self.now)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "sid"):
            check_diaries(self.now)


@pytest.mark.django_db
def test_any_order_leaves_the_diaries_right() -> None:
    quick = quickly(
        max_examples=examples(8, thorough=120),
        stateful_step_count=12,
        deadline=None,
        # A step is dozens of statements: shrinking would take minutes, and the steps are told anyway.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Running, settings=quick)
