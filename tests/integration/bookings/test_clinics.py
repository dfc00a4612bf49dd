"""Clinics: whatever managers and bookers do, in any order and at once, no diary is wrong afterwards."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as quickly
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.correspondence.states import TransitionRefused
from bookings.models import Booking, Clinic, ClinicRun, DiaryBlock, Schedule, Slot, SlotStatus, Standing
from bookings.models.plan import Hours, Plan, Session
from bookings.selectors.clinics import booked_outside, is_behind, plan_change, seen_at, troubled_clinics
from bookings.services.clinics import apply_plan, fill_clinics, last_run, switch, undo_run
from bookings.services.diaries import add_slots, block_range, block_slots, free_range
from bookings.services.running import cancel_received, move_booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
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


def test_what_is_booked_stays_and_leaves_when_it_is_not(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    first, second = clinic.lanes.get().slots.order_by("start")[:2]
    booking = book(first, NOW)
    other = replace(BASE, sessions=(Session(WEEK, hours("09:15", "11:00")),))
    applied(manager, service, other, NOW, clinic)
    assert [each.pk for each in booked_outside(clinic, now=NOW)] == [booking and booking.pk]
    clinic.refresh_from_db()
    assert clinic.left_out == 1
    second.refresh_from_db()
    assert second.status == SlotStatus.WITHDRAWN
    assert [each.pk for each in troubled_clinics(manager, now=NOW)] == [clinic.pk]
    assert booking is not None
    cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
    first.refresh_from_db()
    assert first.status == SlotStatus.WITHDRAWN, "the plan has no place for it"
    check_diaries(NOW)


def test_a_yes_counts_for_what_was_shown(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    other = replace(BASE, slot_minutes=20)
    shown = seen_at(plan_change(other, diaries=diaries_of(clinic), from_day=NOW.date(), now=NOW), NOW)
    given: dict[str, Any] = {"service": service, "clinic": clinic, "plan": other, "seen": shown}
    given["from_day"] = NOW.date()
    assert book(clinic.lanes.get().slots.order_by("start")[1], NOW)
    with pytest.raises(PolicyRefused, match="meanwhile"):
        apply_plan(**given, acting=manager, now=NOW)
    assert ClinicRun.objects.count() == 1
    for spoilt in ("", "nonsense|1", shown.split("|")[0]):
        with pytest.raises(PolicyRefused):
            apply_plan(**given | {"seen": spoilt}, acting=manager, now=NOW)


def test_time_that_passes_is_no_change(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    other = replace(BASE, slot_minutes=20)
    shown = seen_at(plan_change(other, diaries=diaries_of(clinic), from_day=NOW.date(), now=NOW), NOW)
    later = NOW + timedelta(hours=3, minutes=10)
    given: dict[str, Any] = {"clinic": clinic, "plan": other, "from_day": NOW.date(), "seen": shown}
    run = apply_plan(service=service, acting=manager, now=later, **given)
    assert clinic.lanes.get().slots.filter(start__lt=later, status=SlotStatus.WITHDRAWN).count() == 0
    assert run.made < 18
    check_diaries(later)


def test_undo_goes_back_one_change_at_a_time(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    applied(manager, service, replace(BASE, name="Other", slot_minutes=20, lanes=2), NOW, clinic)
    first = ClinicRun.objects.order_by("at", "id")[0]
    with pytest.raises(PolicyRefused, match="last"):
        undo_run(run=first, seen="", acting=manager, now=NOW)
    undone(clinic, manager, NOW)
    clinic.refresh_from_db()
    assert (clinic.name, [each.active for each in clinic.lanes.order_by("lane")]) == ("Clinic", [True, False])
    undone(clinic, manager, NOW)
    clinic.refresh_from_db()
    assert not clinic.active
    assert bookable(NOW) == set()
    assert last_run(clinic) is None
    check_diaries(NOW)


def test_switched_off_it_takes_nobody_and_keeps_who_comes(
    manager: Acting, service: HealthcareService
) -> None:
    clinic = applied(manager, service, BASE, NOW)
    first, second = clinic.lanes.get().slots.order_by("start")[:2]
    assert book(first, NOW)
    switch(clinic=clinic, on=False, acting=manager, now=NOW)
    assert book(second, NOW) is None
    clinic.refresh_from_db()
    assert booked_outside(clinic, now=NOW).count() == 1
    assert fill_clinics(now=NOW + timedelta(days=2)) == 0
    switch(clinic=clinic, on=True, acting=manager, now=NOW)
    assert book(second, NOW)
    assert fill_clinics(now=NOW + timedelta(days=2)) == 4, "no slot on the bank holidays, 25 and 28 December"


def test_a_slot_is_not_booked_too_late(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, replace(BASE, lead_minutes=60), NOW)
    first = clinic.lanes.get().slots.order_by("start")[0]
    assert first.pk in bookable(first.start - timedelta(hours=1))
    assert first.pk not in bookable(first.start - timedelta(minutes=59))
    assert book(first, first.start - timedelta(minutes=59)) is None


def test_who_is_behind_is_told(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    assert not is_behind(clinic, now=NOW + timedelta(days=1))
    assert is_behind(clinic, now=NOW + timedelta(days=2))
    ended = replace(BASE, last_day=NOW.date())
    applied(manager, service, ended, NOW, clinic)
    clinic.refresh_from_db()
    assert not is_behind(clinic, now=NOW + timedelta(days=9)), "it has ended"


def test_a_block_holds_for_slots_that_are_made_later(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    lane = clinic.lanes.get()
    start = NOW.replace(hour=9, minute=30)
    given: dict[str, Any] = {"diaries": [lane.pk], "actor": manager.actor, "now": NOW}
    block_range(**given, start=start, end=start + timedelta(days=2, hours=1), reason="Training")
    applied(manager, service, replace(BASE, slot_minutes=20, horizon_days=3), NOW, clinic)
    fill_clinics(now=NOW + timedelta(days=1))
    free = lane.slots.filter(status=SlotStatus.FREE, start__lt=start + timedelta(days=2))
    assert [each.start.minute for each in free] == [0], "that ends before the block begins"
    # Freed in the middle, the block stands on both sides.
    assert free_range(**given, start=start, end=start + timedelta(hours=4)) == 5
    assert DiaryBlock.objects.filter(ended_at=None).count() == 1
    check_diaries(NOW)


def test_what_the_old_way_blocks_is_kept_by_a_plan_too(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    slots = list(clinic.lanes.get().slots.order_by("start")[:2])
    block_slots(slot_ids=[each.pk for each in slots], actor=manager.actor, now=NOW)
    applied(manager, service, replace(BASE, slot_minutes=20), NOW, clinic)
    assert Slot.objects.filter(pk__in=bookable(NOW), start__lt=slots[1].end).count() == 0
    check_diaries(NOW)


def test_a_diary_becomes_a_clinic_with_what_is_booked_in_it(
    manager: Acting, service: HealthcareService
) -> None:
    diary = make_schedule(service=service)
    slot = make_slot(schedule=diary, start=NOW.replace(hour=9), minutes=30)
    off = make_slot(schedule=diary, start=NOW.replace(hour=10, minute=10), minutes=30)
    assert book(slot, NOW)
    assert book(off, NOW)
    clinic = applied(manager, service, BASE, NOW, adopts=diary, diaries=[diary])
    assert clinic.lanes.get() == diary
    slot.refresh_from_db()
    off.refresh_from_db()
    assert (slot.standing, off.standing) == (Standing.PLANNED, Standing.LEAVING)
    with pytest.raises(PolicyRefused):
        applied(manager, service, BASE, NOW, adopts=diary, diaries=[diary])
    check_diaries(NOW)


def test_the_database_keeps_what_is_booked(manager: Acting, service: HealthcareService) -> None:
    slot = applied(manager, service, BASE, NOW).lanes.get().slots.order_by("start")[0]
    assert book(slot, NOW)
    for change in ({"status": SlotStatus.FREE}, {"start": slot.start - timedelta(minutes=5)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Slot.objects.filter(pk=slot.pk).update(**change)
    gone = make_slot(schedule=make_schedule(service=service), status=SlotStatus.WITHDRAWN)
    make_slot(schedule=gone.schedule, start=gone.start)
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.filter(pk=gone.pk).update(status=SlotStatus.FREE)


def test_strangers_change_nothing(manager: Acting, service: HealthcareService) -> None:
    clinic = applied(manager, service, BASE, NOW)
    for other in (
        make_acting(role=Role.MANAGER),
        make_acting(role=Role.CLERK, organisation=service.provider),
    ):
        with pytest.raises(PolicyRefused):
            applied(other, service, replace(BASE, slot_minutes=20), NOW, clinic)
        with pytest.raises(PolicyRefused):
            switch(clinic=clinic, on=False, acting=other, now=NOW)
    assert ClinicRun.objects.count() == 1


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


def crowd(rounds: int) -> Iterator[None]:
    """Two managers change, block and free while sixteen people book, cancel and move."""
    manager = make_acting(role=Role.MANAGER)
    service = make_service(provider=manager.organisation)
    clinic = applied(manager, service, replace(BASE, lanes=2), NOW)
    plans = [
        replace(BASE, slot_minutes=minutes, lanes=lanes) for minutes, lanes in ((20, 2), (45, 1), (30, 2))
    ]

    def change(number: int) -> object:
        return applied(manager, service, plans[number % 3], NOW, Clinic.objects.get(pk=clinic.pk))

    def block(number: int) -> object:
        start = NOW.replace(hour=9) + timedelta(minutes=20 * (number % 5))
        given: dict[str, Any] = {
            "diaries": [each.pk for each in clinic.lanes.all()],
            "start": start,
            "now": NOW,
        }
        given |= {"end": start + timedelta(minutes=40), "actor": manager.actor}
        return free_range(**given) if number % 2 else block_range(**given, reason="")

    def booker(number: int) -> object:
        slots = list(Slot.objects.filter(status=SlotStatus.FREE).order_by("start", "pk"))
        if not slots:
            return None
        with transaction.atomic():
            booking = book(slots[number % len(slots)], NOW)
        if booking is None or number % 4 == 0:
            return booking
        if number % 4 == 1:
            return cancel_received(booking=booking, reason="Ill", acting=manager, now=NOW)
        other = slots[(number * 7 + 3) % len(slots)]
        return move_booking(booking=booking, slot_id=other.pk, reason="", acting=manager, now=NOW)

    for each in range(rounds):
        jobs: list[Callable[[], object]] = [partial(change, each), partial(block, each)]
        at_once([*jobs, *(partial(booker, each + number) for number in range(16))])
        check_diaries(NOW)
        yield


@pytest.mark.django_db(transaction=True)
def test_two_managers_and_sixteen_bookers_at_once() -> None:
    assert len(list(crowd(3))) == 3
    assert Booking.objects.filter(status=BookingStatus.BOOKED).exists()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_two_managers_and_sixteen_bookers_for_long() -> None:
    assert len(list(crowd(40))) == 40
