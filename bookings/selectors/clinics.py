"""Clinics, what a plan would change, and what who runs them looks at: calls, feeds, free times, who waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Membership
from bars_portal.accounts.permissions import Role, permissions_of_roles
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.models import (
    Booking,
    BookingStatusChange,
    CapacityAlarm,
    Clinic,
    DiaryFeed,
    Schedule,
    SenderCall,
    Slot,
    SlotStatus,
    Standing,
    WaitingEntry,
)
from bookings.models.plan import LaneChange, Period, Plan, SlotRow, compared, day_times
from bookings.selectors.sent import GONE
from bookings.selectors.slots import free_from
from bookings.states import RUN_DIARY, BookingEvent, BookingStatus
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


# -- what else who runs the diaries looks after: calls to make, feeds, alarms, who waits


def open_calls(acting: Acting) -> QuerySet[SenderCall]:
    """Calls that nobody has made yet, oldest first; none without the permission."""
    if not acting.may(RUN_DIARY):
        return SenderCall.objects.none()
    ours = SenderCall.objects.filter(booking__organisation=acting.organisation, closed_at=None)
    return ours.select_related("booking__patient", "booking__service__provider", "booking__journey")


def calls_about(booking: Booking) -> QuerySet[SenderCall]:
    """All of one booking, oldest first."""
    return booking.calls.select_related("closed_by")


def roles_that_run() -> list[Role]:
    """Whoever has one of them runs the diaries of an organisation."""
    return [role for role in Role if RUN_DIARY in permissions_of_roles([role])]


def feeds_of(acting: Acting, *, now: datetime) -> QuerySet[DiaryFeed]:
    """Those whose address still works."""
    if not acting.may(RUN_DIARY):
        return DiaryFeed.objects.none()
    ours = DiaryFeed.objects.filter(organisation=acting.organisation, revoked_at=None, expires_at__gt=now)
    return ours.select_related("service__provider", "made_by")


def feed_of(digest: str, *, now: datetime) -> DiaryFeed | None:
    """While it works, its service is of the same organisation, and who made it still runs its diaries."""
    running = Membership.objects.filter(
        user=OuterRef("made_by"),
        organisation=OuterRef("organisation"),
        role__in=roles_that_run(),
    )
    working = DiaryFeed.objects.filter(
        Exists(running),
        Q(digest=digest, revoked_at=None, expires_at__gt=now),
        made_by__is_active=True,
        service__hosted=True,
        service__provider=F("organisation"),
    )
    return working.select_related("service").first()


# What a calendar is shown: yesterday, and so many days ahead.
FEED_DAYS = 60


def feed_slots(feed: DiaryFeed, *, now: datetime) -> list[tuple[Slot, str]]:
    """Slots with the reference of who booked them, "" where nobody did, in order of time."""
    slots = Slot.objects.filter(
        service=feed.service,
        start__gte=now - timedelta(days=1),
        start__lt=now + timedelta(days=FEED_DAYS),
        schedule__active=True,
    ).exclude(status=SlotStatus.WITHDRAWN)
    comes = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
    booked = Booking.objects.filter(slot__in=slots, direction=Direction.RECEIVED, status__in=comes)
    references = dict(booked.values_list("slot_id", "reference"))
    ordered = slots.select_related("schedule").order_by("start", "schedule__name")
    return [(slot, references.get(slot.pk, "")) for slot in ordered]


def free_within(alarm: CapacityAlarm, *, now: datetime) -> int:
    """Free slots that can still be booked and start within the alarm's hours."""
    until = now + timedelta(hours=alarm.hours)
    return free_from(now).filter(service=alarm.service_id, start__lt=until).count()


def alarms_of(acting: Acting) -> QuerySet[CapacityAlarm]:
    """Of the acting organisation's services, by name; none without the permission."""
    if not acting.may(RUN_DIARY):
        return CapacityAlarm.objects.none()
    ours = CapacityAlarm.objects.filter(service__provider=acting.organisation)
    return ours.select_related("service__provider").order_by("service__name")


def waiting_list(acting: Acting, *, now: datetime, free_only: bool = False) -> QuerySet[WaitingEntry]:
    """Who found no time of the services of the acting organisation today, the longest waiting first.

    `free_only`: those alone for whom one is free now. None without the permission.
    """
    if not acting.may(RUN_DIARY):
        return WaitingEntry.objects.none()
    waiting = _waiting(now, free_only=free_only)
    return waiting.filter(service__provider=acting.organisation, service__hosted=True)


def waiting_counts(acting: Acting, *, now: datetime) -> tuple[int, int]:
    """How many wait, and for how many of them a time is free now."""
    found = waiting_list(acting, now=now).order_by().aggregate(waiting=Count("pk"), free=Count("free_at"))
    return found["waiting"], found["free"]


def came_free(acting: Acting, *, now: datetime) -> QuerySet[WaitingEntry]:
    """What this person found no time for today, and one is free now; none for who books nothing."""
    if not acting.may("bookings.book_slot"):
        return WaitingEntry.objects.none()
    waiting = _waiting(now, free_only=True)
    return waiting.filter(user=acting.user, organisation=acting.organisation)


def _waiting(now: datetime, *, free_only: bool) -> QuerySet[WaitingEntry]:
    """Of this London day, not closed, and not booked since; with `free_at`, the first time that would do.

    A search that named nobody is over once the same person has asked for any booking.
    """
    since_then = Booking.objects.filter(
        journey=OuterRef("journey"), direction=Direction.SENT, created_at__gt=OuterRef("asked_at")
    ).exclude(status__in=GONE)
    asked_since = BookingStatusChange.objects.filter(
        event=BookingEvent.REQUEST,
        actor_user=OuterRef("user"),
        booking__organisation=OuterRef("organisation"),
        at__gt=OuterRef("refused_at"),
    )
    free = free_from(now).filter(
        service=OuterRef("service"),
        service__active=True,
        service__hosted=True,
        service__takes_bookings=True,
        start__gte=OuterRef("wanted_from"),
        start__lte=OuterRef("wanted_until"),
    )
    entries = WaitingEntry.objects.annotate(
        asked_at=Coalesce("booking__created_at", "refused_at"),
        free_at=Subquery(free.order_by("start").values("start")[:1]),
    )
    today = london_midnight(in_london(now).date())
    waiting = entries.filter(~Exists(since_then), closed_at=None, refused_at__gte=today)
    waiting = waiting.exclude(Exists(asked_since), journey=None)
    if free_only:
        waiting = waiting.filter(free_at__isnull=False)
    related = ("service__provider", "organisation", "user", "journey", "booking__patient", "booking__journey")
    return waiting.select_related(*related).order_by("refused_at", "pk")
