"""Making, blocking and freeing slots in bulk; a booked slot is never touched."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bookings.models import Schedule, Slot, SlotStatus
from bookings.models.diary import slot_times

BATCH = 1000


@transaction.atomic
def generate_slots(
    *, schedule: Schedule, first_day: date, days: int, now: datetime, actor: Actor | None = None
) -> int:
    """Make the slots of the weekly pattern for `days` London days; returns how many are new.

    Slots that exist, in whatever status, stay as they are: the database skips them. `actor` is named in the
    audit trail when a person asked for it.
    """
    before = Slot.objects.filter(schedule=schedule).count()
    Slot.objects.bulk_create(
        (
            Slot(schedule=schedule, service_id=schedule.service_id, start=start, end=end, updated_at=now)
            for start, end in slot_times(schedule, first_day=first_day, days=days)
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    made = Slot.objects.filter(schedule=schedule).count() - before
    if actor is not None:
        detail: dict[str, str | int | None] = {"made": made, "first_day": first_day.isoformat(), "days": days}
        record(actor=actor, action="bookings.generate_slots", subject=schedule, detail=detail, now=now)
    return made


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
