"""Whatever managers and bookers do, in any order and at once, no diary is wrong afterwards."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Event
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as quickly
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.sql import ask
from bookings.models import Booking, Clinic, Slot, SlotStatus
from bookings.models.plan import Plan, Session
from bookings.services.clinics import fill_clinics, switch
from bookings.services.diaries import add_slots, block_range, free_range
from bookings.services.running import cancel_received, move_booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.directory import make_service
from tests.integration.bookings.running import (
    BASE,
    NOW,
    WEEK,
    applied,
    book,
    check_diaries,
    diaries_of,
    hours,
    offered,
    undone,
)
from tests.profiles import examples

# Saturdays before the clocks go back, and before they go forward.
EVES = (datetime(2026, 10, 24, 6, 0, tzinfo=UTC), datetime(2027, 3, 27, 6, 0, tzinfo=UTC))

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
        self.held: set[UUID] = set()

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

    @rule(on=st.booleans())
    def switch_service(self, on: bool) -> None:
        HealthcareService.objects.filter(pk=self.service.pk).update(takes_bookings=on)

    @rule(place=st.integers(0, 40))
    def book(self, place: int) -> None:
        shown = sorted(offered(self.now))
        if shown:
            booking = book(Slot.objects.get(pk=shown[place % len(shown)]), self.now)
            assert booking, "what is offered may be booked"
            self.held.add(booking.pk)

    @rule(place=st.integers(0, 200))
    def book_what_was_offered_before(self, place: int) -> None:
        """Whoever has looked earlier, or guesses: taken is only what is offered still."""
        slots = list(Slot.objects.order_by("pk"))
        if slots:
            slot = slots[place % len(slots)]
            is_offered = slot.pk in offered(self.now)
            booking = book(slot, self.now)
            assert (booking is not None) == is_offered
            self.held |= {booking.pk} if booking else set()

    @rule(place=st.integers(0, 40))
    def cancel(self, place: int) -> None:
        if booking := self._booked(place):
            cancel_received(booking=booking, reason="Ill", acting=self.manager, now=self.now)
            self.held.remove(booking.pk)

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
                gone = slot.status != SlotStatus.FREE or slot.end <= self.now
                assert gone or not slot.schedule.active

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
            live = Booking.objects.filter(status=BookingStatus.BOOKED).values_list("pk", flat=True)
            assert set(live) == self.held, "no booking is lost"


@pytest.mark.django_db
def test_any_order_leaves_the_diaries_right() -> None:
    quick = quickly(
        max_examples=examples(6, thorough=120),
        stateful_step_count=12,
        deadline=None,
        # A step is dozens of statements: shrinking would take minutes, and the steps are told anyway.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Running, settings=quick)


def at_once(jobs: list[Callable[[], object]]) -> list[object]:
    start = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        try:
            start.wait(timeout=10)
            return job()
        except (PolicyRefused, TransitionRefused) as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def crowd(now: datetime, base: Plan, rounds: int) -> Iterator[None]:
    """Two managers plan, undo, switch, block and free while sixteen people book, cancel and move."""
    manager = make_acting(role=Role.MANAGER)
    other_manager = make_acting(role=Role.MANAGER, organisation=manager.organisation)
    service = make_service(provider=manager.organisation)
    clinic = applied(manager, service, replace(base, lanes=2), now)
    plans = [
        replace(base, slot_minutes=minutes, lanes=lanes) for minutes, lanes in ((20, 2), (45, 1), (30, 2))
    ]
    opening = Slot.objects.filter(start__gt=now).earliest("start").start

    def change(number: int) -> object:
        there = Clinic.objects.get(pk=clinic.pk)
        if number % 3 == 1:
            return undone(there, manager, now)
        if number % 3 == 2 and there.filled_until:
            switch(clinic=there, on=False, acting=manager, now=now)
            return switch(clinic=there, on=True, acting=manager, now=now)
        return applied(manager, service, plans[number // 3 % 3], now, there)

    def block(number: int) -> object:
        start = opening + timedelta(minutes=20 * (number % 5))
        given: dict[str, Any] = {
            "diaries": [each.pk for each in clinic.lanes.all()],
            "start": start,
            "now": now,
        }
        given |= {"end": start + timedelta(minutes=40), "actor": other_manager.actor}
        return free_range(**given) if number % 2 else block_range(**given, reason="")

    def booker(number: int) -> object:
        slots = list(Slot.objects.filter(status=SlotStatus.FREE).order_by("start", "pk"))
        if not slots:
            return None
        with transaction.atomic():
            booking = book(slots[number % len(slots)], now)
        if booking is None or number % 4 == 0:
            return booking
        if number % 4 == 1:
            return cancel_received(booking=booking, reason="Ill", acting=manager, now=now)
        other = slots[(number * 7 + 3) % len(slots)]
        return move_booking(booking=booking, slot_id=other.pk, reason="", acting=manager, now=now)

    for each in range(rounds):
        jobs: list[Callable[[], object]] = [partial(change, each), partial(block, each)]
        done = at_once([*jobs, *(partial(booker, each + number) for number in range(16))])
        check_diaries(now)
        told = {booking.pk: booking.status for booking in done if isinstance(booking, Booking)}
        kept = Booking.objects.filter(pk__in=told).values_list("pk", "status")
        assert dict(kept) == told, "what somebody was told is so"
        yield


NIGHT = replace(BASE, sessions=(Session(WEEK, hours("00:00", "03:00")),))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("now", "plan"),
    [(NOW, BASE), *(pytest.param(eve, NIGHT, marks=pytest.mark.further) for eve in EVES)],
    ids=["winter", "autumn", "spring"],
)
def test_two_managers_and_sixteen_bookers_at_once(now: datetime, plan: Plan) -> None:
    assert len(list(crowd(now, plan, 3))) == 3
    assert Booking.objects.filter(status=BookingStatus.BOOKED).exists()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_two_managers_and_sixteen_bookers_for_long() -> None:
    assert len(list(crowd(NOW, BASE, 40))) == 40


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_waits_for_who_blocks_the_diary() -> None:
    """Else it would not see the block, and offer a time that is blocked."""
    manager = make_acting(role=Role.MANAGER)
    clinic = applied(manager, make_service(provider=manager.organisation), BASE, NOW)
    lane = clinic.lanes.get()
    slot = lane.slots.order_by("start")[0]
    booking = book(slot, NOW)
    assert booking is not None
    ended = Event()

    def cancel() -> None:
        try:
            cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
        finally:
            ended.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            given: dict[str, Any] = {"diaries": [lane.pk], "actor": manager.actor, "now": NOW}
            block_range(**given, start=slot.start, end=slot.end, reason="")
            cancelling = pool.submit(cancel)
            while not ended.is_set() and not ask(_WAITS):
                ask("SELECT pg_stat_clear_snapshot()::text")
        cancelling.result()
    slot.refresh_from_db()
    assert slot.status == SlotStatus.BUSY_UNAVAILABLE
    check_diaries(NOW)


_WAITS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
