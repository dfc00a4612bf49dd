"""Slots as the receiver offers them: one light query, no model instances."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from bookings.models import Schedule, Slot
from bookings.rows import SlotRow
from directory.models import HealthcareService


def offered_slots(
    service: HealthcareService, *, statuses: Collection[str], start: datetime, end: datetime
) -> list[SlotRow]:
    """In order of time; both bounds are of the slot's start, and included. Served by index `slot_search`."""
    slots = Slot.objects.filter(
        service=service, status__in=[str(each) for each in statuses], start__gte=start, start__lte=end
    )
    rows = slots.order_by("start", "schedule_id").values_list(*SlotRow._fields)
    return [SlotRow(*row) for row in rows]


def schedules_of(rows: Iterable[SlotRow]) -> dict[UUID, Schedule]:
    return Schedule.objects.in_bulk({row.schedule_id for row in rows})
