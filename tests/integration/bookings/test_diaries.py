"""Making, blocking and freeing slots: what exists, and above all what is booked, stays."""

from datetime import date, time, timedelta
from uuid import UUID

import pytest

from bars_portal.audit.models import AuditEvent
from bookings.models import Slot, SlotStatus
from bookings.services.diaries import block_slots, free_slots, generate_slots, save_schedule
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, make_schedule, make_slot

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)


def test_making_slots_twice_changes_nothing() -> None:
    schedule = make_schedule()
    assert generate_slots(schedule=schedule, first_day=DAY, days=2, now=NOW) == 96
    first = Slot.objects.order_by("start").first()
    assert first is not None
    Slot.objects.filter(pk=first.pk).update(status=SlotStatus.BUSY)
    later = NOW + timedelta(days=1)
    assert generate_slots(schedule=schedule, first_day=DAY, days=3, now=later) == 48
    first.refresh_from_db()
    assert (first.status, first.updated_at) == (SlotStatus.BUSY, NOW)
    assert {slot.service_id for slot in Slot.objects.all()} == {schedule.service_id}


def test_making_slots_is_recorded_for_a_person() -> None:
    schedule, actor = make_schedule(day_start=time(8), day_end=time(9)), make_acting().actor
    generate_slots(schedule=schedule, first_day=DAY, days=1, now=NOW, actor=actor)
    event = AuditEvent.objects.get(action="bookings.generate_slots")
    assert (event.detail["made"], event.actor_user_id) == (4, actor.user_id)


def test_blocking_and_freeing_never_touch_a_booked_slot() -> None:
    schedule, actor = make_schedule(), make_acting().actor
    free, booked, blocked = (
        make_slot(schedule=schedule, start=NOW + timedelta(hours=number), status=status)
        for number, status in enumerate((SlotStatus.FREE, SlotStatus.BUSY, SlotStatus.BUSY_UNAVAILABLE))
    )
    ids = [free.pk, booked.pk, blocked.pk]
    assert block_slots(slot_ids=ids, actor=actor, now=NOW) == 1
    assert _statuses(ids) == ["busy-unavailable", "busy", "busy-unavailable"]
    assert free_slots(slot_ids=ids, actor=actor, now=NOW) == 2
    assert _statuses(ids) == ["free", "busy", "free"]
    details = AuditEvent.objects.filter(action="bookings.free_slots").values_list("detail", flat=True)
    assert list(details) == [{"asked": 3, "changed": 2}]


def _statuses(ids: list[UUID]) -> list[str]:
    return [Slot.objects.get(pk=each).status for each in ids]


def test_a_changed_diary_is_recorded_and_its_slots_stay() -> None:
    schedule, actor = make_schedule(), make_acting().actor
    generate_slots(schedule=schedule, first_day=DAY, days=1, now=NOW)
    schedule.slot_minutes = 30
    save_schedule(schedule=schedule, changed=["slot_minutes"], actor=actor, now=NOW)
    assert Slot.objects.count() == 48
    event = AuditEvent.objects.get(action="bookings.change_schedule")
    assert event.detail == {"fields": "slot_minutes"}
