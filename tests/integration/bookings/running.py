"""What must hold of diaries whatever was done to them, and somebody who books."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count, pairwise
from typing import Any
from uuid import UUID

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import ReadNote
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.sql import cursor
from bookings.models import Booking, Clinic, DiaryBlock, Schedule, Slot, SlotStatus, Standing
from bookings.models.diary import BOOKABLE
from bookings.models.plan import Hours, Plan, Session
from bookings.selectors.clinics import plan_change, plan_times, seen_at
from bookings.selectors.slots import offered_slots
from bookings.services.clinics import apply_plan, last_run, undo_run
from bookings.services.receiving import take_slot
from bookings.states import BookingStatus
from directory.models import HealthcareService
from tests.factories.bookings import make_booking

_NUMBERS = count(1)
_KEPT = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
_FREE = f"SELECT slot.id FROM bookings_slot AS slot WHERE {BOOKABLE}"
# In the search's template the second place is the id of the slot.
_ID = "%2$s"


def book(slot: Slot, now: datetime) -> Booking | None:
    """None: somebody else has it, or it may not be booked."""
    if not take_slot(slot.pk, service_id=slot.service_id, start=slot.start, end=slot.end, now=now):
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
    with cursor() as asking:
        asking.execute(_FREE, (now, now))
        return {row[0] for row in asking.fetchall()}


def offered(now: datetime) -> set[UUID]:
    """What anybody who searches is shown as free."""
    note = ReadNote.of(
        actor=Actor("partner"), action="exchange.read", now=now, detail={}, correlation_id=UUID(int=1)
    )
    found: set[UUID] = set()
    for service_id in HealthcareService.objects.values_list("service_id", flat=True):
        answer = offered_slots(
            ServiceID(service_id),
            caller=Caller("RX111"),
            note=note,
            statuses=["free"],
            start=now - timedelta(days=9),
            end=now + timedelta(days=60),
            template=_ID,
            template_with_channel=_ID,
        )
        found |= {UUID(each) for each in answer.entries.split(",") if each} if answer else set()
    return found


def may_be_booked(slot: Slot, now: datetime) -> bool:
    """As the manual says it, apart from the product's own SQL."""
    diary, place = slot.schedule, slot.service
    in_use = diary.active and place.active and place.hosted and place.takes_bookings
    lead = timedelta(minutes=diary.lead_minutes)
    in_time = slot.start >= now + lead if lead else slot.end > now
    return slot.status == SlotStatus.FREE and in_use and in_time


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
    rows = Slot.objects.select_related("schedule", "service")
    right = {each.pk for each in rows if may_be_booked(each, now)}
    assert offered(now) == right == bookable(now)
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
