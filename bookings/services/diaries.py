"""Making, blocking and freeing slots in bulk; a booked slot is never touched."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bookings.models import Schedule, Slot, SlotStatus
from bookings.models.diary import Period, slot_times, times_between

BATCH = 1000


class MadeSlots(NamedTuple):
    """How many slots are new, and how many times were left out: a slot that was there runs into them."""

    made: int
    left_out: int


def generate_slots(
    *, schedule: Schedule, first_day: date, days: int, now: datetime, actor: Actor | None = None
) -> int:
    """Make the slots of the weekly pattern for `days` London days; returns how many are new."""
    return make_slots(schedule=schedule, first_day=first_day, days=days, now=now, actor=actor).made


@transaction.atomic
def make_slots(
    *, schedule: Schedule, first_day: date, days: int, now: datetime, actor: Actor | None = None
) -> MadeSlots:
    """The same, and how many times could have no slot.

    The pattern is that of the moment. Slots that exist, in whatever status, stay as they are. `actor` is
    named in the audit trail when a person asked for it.
    """
    # Whoever makes slots of the same diary waits, so that both count what is there.
    pattern = Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
    times = list(slot_times(pattern, first_day=first_day, days=days))
    there = list(_slots_around(pattern, times))
    free = times_between(there, times)
    slots = (
        Slot(schedule=pattern, service_id=pattern.service_id, start=start, end=end, updated_at=now)
        for start, end in free
    )
    Slot.objects.bulk_create(slots, batch_size=BATCH)
    made = MadeSlots(len(free), len(times) - len(free) - len(set(times) & set(there)))
    if actor is not None:
        detail: dict[str, str | int | None] = {
            **made._asdict(),
            "first_day": first_day.isoformat(),
            "days": days,
        }
        record(actor=actor, action="bookings.generate_slots", subject=schedule, detail=detail, now=now)
    return made


def _slots_around(schedule: Schedule, times: list[Period]) -> Iterable[Period]:
    """Slots of the diary, in order of time, that any of the times could run into."""
    if not times:
        return ()
    slots = Slot.objects.filter(schedule=schedule, start__lt=times[-1][1], end__gt=times[0][0])
    return slots.order_by("start").values_list("start", "end")


@transaction.atomic
def save_schedule(*, schedule: Schedule, changed: Collection[str], actor: Actor, now: datetime) -> Schedule:
    """Write a new diary, or what changed of one. Slots that were made already stay as they are."""
    made = schedule._state.adding
    schedule.save()
    action = "bookings.add_schedule" if made else "bookings.change_schedule"
    fields = ", ".join(sorted(changed))
    record(actor=actor, action=action, subject=schedule, detail={"fields": fields}, now=now)
    return schedule


def block_slots(*, slot_ids: Collection[UUID], actor: Actor, now: datetime) -> int:
    """Take free slots out of the offer; returns how many changed. Booked ones are left alone."""
    return _move(slot_ids, SlotStatus.FREE, SlotStatus.BUSY_UNAVAILABLE, "bookings.block_slots", actor, now)


def free_slots(*, slot_ids: Collection[UUID], actor: Actor, now: datetime) -> int:
    """Put blocked slots back into the offer; returns how many changed. Booked ones are left alone."""
    return _move(slot_ids, SlotStatus.BUSY_UNAVAILABLE, SlotStatus.FREE, "bookings.free_slots", actor, now)


@transaction.atomic
def _move(
    slot_ids: Collection[UUID],
    before: SlotStatus,
    after: SlotStatus,
    action: str,
    actor: Actor,
    now: datetime,
) -> int:
    slots = Slot.objects.filter(pk__in=list(slot_ids), status=before)
    changed = slots.update(status=after, updated_at=now)
    record(actor=actor, action=action, detail={"asked": len(slot_ids), "changed": changed}, now=now)
    return changed
