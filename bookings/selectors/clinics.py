"""Clinics of the acting organisation, and what a plan would change: nothing is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.models import Booking, Clinic, Schedule, Slot, SlotStatus, Standing
from bookings.models.plan import LaneChange, Period, Plan, SlotRow, compared, day_times
from bookings.states import RUN_DIARY, BookingStatus
from directory.hours import bank_holiday
from directory.models import HealthcareService


@dataclass(frozen=True)
class PlanChange:
    """What a plan changes from `since` on, by lane, as far as slots are made: to the end of `last_day`."""

    since: datetime
    last_day: date
    lanes: list[LaneChange]

    @property
    def numbers(self) -> dict[str, int]:
        return {
            "made": sum(len(each.made) for each in self.lanes),
            "withdrawn": sum(len(each.withdrawn) for each in self.lanes),
            "kept": sum(len(each.kept) for each in self.lanes),
            "clashes": sum(len(each.clashes) for each in self.lanes),
        }

    def words(self) -> str:
        return "-".join(str(each) for each in self.numbers.values())


def plan_times(plan: Plan, *, first_day: date, last_day: date) -> list[Period]:
    """All times of one lane on these London days, in order."""
    found: list[Period] = []
    for offset in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=offset)
        hours = plan.hours_of(day, is_holiday=bool(bank_holiday(day)))
        found += day_times(day, hours, plan.slot_minutes)
    return found


def seen_at(change: PlanChange, now: datetime) -> str:
    """What the page of a preview carries along: when it was made, and what it said."""
    return f"{now.isoformat()}|{change.words()}"


def still_so(
    seen: str, plan: Plan | None, *, diaries: Sequence[Schedule], from_day: date, now: datetime
) -> bool:
    """Whether the plan changes now what it did when somebody saw it; that time went on is no change."""
    moment, _, words = seen.partition("|")
    try:
        then = min(datetime.fromisoformat(moment), now)
    except (TypeError, ValueError):
        return False
    return plan_change(plan, diaries=diaries, from_day=from_day, now=then).words() == words


def horizon_of(plan: Plan, now: datetime) -> date:
    """The last day for which slots are made now."""
    ahead = in_london(now).date() + timedelta(days=plan.horizon_days)
    return ahead if plan.last_day is None else min(ahead, plan.last_day)


def plan_change(
    plan: Plan | None, *, diaries: Iterable[Schedule], from_day: date, now: datetime
) -> PlanChange:
    """From the plan (None: there is to be nothing) and the diaries of its lanes, as far as there are any.

    Each diary has its lane. It is the same for a while: as long as nobody books or changes anything.
    """
    since = max(now, london_midnight(from_day))
    last_day = horizon_of(plan, now) if plan else in_london(since).date()
    wanted = plan_times(plan, first_day=in_london(since).date(), last_day=last_day) if plan else []
    wanted = [each for each in wanted if each[0] >= since]
    by_lane = {each.lane or 1: each for each in diaries}
    changes = [
        compared(
            lane,
            wanted=wanted if plan and lane <= plan.lanes else [],
            there=_rows(by_lane.get(lane), since),
            since=since,
            busy=SlotStatus.BUSY,
            added=Standing.ADDED,
        )
        for lane in sorted({*by_lane, *range(1, (plan.lanes if plan else 0) + 1)})
    ]
    return PlanChange(since, last_day, changes)


def _rows(diary: Schedule | None, since: datetime) -> list[SlotRow]:
    if diary is None:
        return []
    slots = Slot.objects.filter(schedule=diary, end__gt=since).exclude(status=SlotStatus.WITHDRAWN)
    return [
        SlotRow(*each)
        for each in slots.order_by("start").values_list("pk", "start", "end", "status", "standing")
    ]


def clinics_of(acting: Acting) -> QuerySet[Clinic]:
    """Of the services of the acting organisation; none without the permission."""
    if not acting.may(RUN_DIARY):
        return Clinic.objects.none()
    ours = Clinic.objects.filter(service__provider=acting.organisation)
    return ours.select_related("service__provider").order_by("service__name", "name")


def clinic_for(acting: Acting, clinic_id: UUID) -> Clinic | None:
    return clinics_of(acting).filter(pk=clinic_id).first()


def plain_diaries_of(acting: Acting) -> QuerySet[Schedule]:
    """Diaries of no clinic: their pattern is changed in the administration, or a clinic takes them over."""
    if not acting.may(RUN_DIARY):
        return Schedule.objects.none()
    ours = Schedule.objects.filter(service__provider=acting.organisation, clinic=None)
    return ours.select_related("service").order_by("service__name", "name")


def hosted_services(acting: Acting) -> list[HealthcareService]:
    """Where a clinic can be made."""
    if not acting.may(RUN_DIARY):
        return []
    return list(HealthcareService.objects.filter(provider=acting.organisation, hosted=True).order_by("name"))


def booked_outside(clinic: Clinic, *, now: datetime) -> QuerySet[Booking]:
    """Who comes although the plan has no place for them, or the clinic is switched off; by time."""
    booked = Booking.objects.filter(
        slot__schedule__clinic=clinic,
        direction=Direction.RECEIVED,
        status=BookingStatus.BOOKED,
        end__gt=now,
    )
    if clinic.active:
        booked = booked.filter(slot__standing=Standing.LEAVING)
    return booked.select_related("patient", "service").order_by("start")


def booked_in(slots: Sequence[UUID]) -> QuerySet[Booking]:
    """Who has booked one of these slots, by time."""
    booked = Booking.objects.filter(slot__in=slots, direction=Direction.RECEIVED, status=BookingStatus.BOOKED)
    return booked.select_related("patient", "service").order_by("start")


def is_behind(clinic: Clinic, *, now: datetime) -> bool:
    """Switched on, and slots are not made as far ahead as the plan says, by more than a day."""
    if not clinic.active:
        return False
    plan = clinic.planned
    wanted = horizon_of(plan, now)
    if wanted < in_london(now).date():
        return False
    return clinic.filled_until is None or clinic.filled_until < wanted - timedelta(days=1)


def troubled_clinics(acting: Acting, *, now: datetime) -> list[Clinic]:
    """Those whose slots could not all be made."""
    return [
        each for each in clinics_of(acting) if each.active and (each.left_out or is_behind(each, now=now))
    ]
