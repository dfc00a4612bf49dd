"""What must hold of diaries whatever was done to them, and somebody who books."""

from datetime import datetime
from itertools import count, pairwise
from uuid import UUID

from bars_portal.correspondence.states import Direction
from bars_portal.sql import ask
from bookings.models import Booking, Clinic, DiaryBlock, Slot, SlotStatus, Standing
from bookings.models.diary import BOOKABLE
from bookings.selectors.clinics import plan_times
from bookings.states import BookingStatus
from tests.factories.bookings import make_booking

_NUMBERS = count(1)
_KEPT = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
# As `receive_booking` takes one.
_TAKE = (
    f"UPDATE bookings_slot AS slot SET status = 'busy' WHERE slot.id = %s AND {BOOKABLE} RETURNING slot.id"
)

_FREE = f"SELECT slot.id FROM bookings_slot AS slot WHERE slot.id = %s AND {BOOKABLE}"


def book(slot: Slot, now: datetime) -> Booking | None:
    """None: somebody else has it, or it may not be booked."""
    if not ask(_TAKE, slot.pk, now, now):
        return None
    return make_booking(
        direction=Direction.RECEIVED,
        service=slot.service,
        slot=slot,
        start=slot.start,
        end=slot.end,
        reference=f"REF-{next(_NUMBERS)}",
        resource={"resourceType": "Appointment", "status": "booked"},
    )


def bookable(now: datetime) -> set[UUID]:
    """What a booking would get now."""
    return {slot for slot in Slot.objects.values_list("pk", flat=True) if ask(_FREE, slot, now, now)}


def check_diaries(now: datetime) -> None:
    """No overlap, no lost booking, nothing on offer that may not be booked."""
    slots = list(Slot.objects.exclude(status=SlotStatus.WITHDRAWN).order_by("schedule", "start"))
    overlapping = [
        (one, other)
        for one, other in pairwise(slots)
        if one.schedule_id == other.schedule_id and one.end > other.start
    ]
    assert not overlapping
    live = list(Booking.objects.filter(status__in=_KEPT).select_related("slot"))
    for each in live:
        assert each.slot is not None
        assert (each.slot.status, each.slot.start, each.slot.end) == (SlotStatus.BUSY, each.start, each.end)
    busy = [each.pk for each in slots if each.status == SlotStatus.BUSY]
    assert sorted(busy) == sorted(each.slot_id for each in live if each.slot_id), "one booking each"
    _check_offer(now)


def _check_offer(now: datetime) -> None:
    wanted = {each.pk: _times(each, now) for each in Clinic.objects.all()}
    for slot in Slot.objects.filter(pk__in=bookable(now)).select_related("schedule__clinic"):
        clinic = slot.schedule.clinic
        assert slot.schedule.active
        assert clinic is not None
        assert clinic.active
        # One that had begun when the plan was changed is left alone.
        planned = slot.start < now or (slot.start, slot.end) in wanted[clinic.pk]
        assert planned or slot.standing == Standing.ADDED
        blocks = DiaryBlock.objects.filter(schedule=slot.schedule, ended_at=None)
        assert not blocks.filter(start__lt=slot.end, end__gt=slot.start).exists()


def _times(clinic: Clinic, now: datetime) -> set[tuple[datetime, datetime]]:
    last_day = clinic.filled_until or now.date()
    return set(plan_times(clinic.planned, first_day=now.date(), last_day=last_day))
