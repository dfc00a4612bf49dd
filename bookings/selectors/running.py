"""What who runs a diary looks at: free times and who waits for one, what a block would meet, calls, feeds."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
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
    DiaryBlock,
    DiaryFeed,
    Schedule,
    SenderCall,
    Slot,
    SlotStatus,
    WaitingEntry,
)
from bookings.selectors.sent import GONE
from bookings.selectors.slots import free_from
from bookings.states import RUN_DIARY, BookingEvent, BookingStatus
from directory.models import HealthcareService

# What a calendar is shown: yesterday, and so many days ahead.
FEED_DAYS = 60


def diaries_of(acting: Acting, service: HealthcareService) -> QuerySet[Schedule]:
    """Of one service of the acting organisation, by name; lanes of a clinic by their number."""
    ours = Schedule.objects.filter(service=service, service__provider=acting.organisation)
    return ours.order_by(*_by_name(), "pk") if acting.may("bookings.view_diary") else Schedule.objects.none()


def _by_name(diary: str = "") -> tuple[Coalesce, str, str]:
    """In which order people read diaries; `diary`: the way to them, "schedule__"."""
    return Coalesce(f"{diary}clinic__name", f"{diary}name"), f"{diary}lane", f"{diary}name"


def blocks_of(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[DiaryBlock]:
    """That stand and reach into the stretch."""
    standing = DiaryBlock.objects.filter(schedule__in=diaries, ended_at=None, start__lt=end, end__gt=start)
    return standing.select_related("schedule").order_by("start", "schedule__name")


def slots_between(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[Slot]:
    """All that reach into the stretch and are not withdrawn."""
    slots = Slot.objects.filter(schedule__in=diaries, start__lt=end, end__gt=start)
    return slots.exclude(status=SlotStatus.WITHDRAWN)


def booked_between(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[Booking]:
    """Who comes in the stretch, by time."""
    booked = Booking.objects.filter(
        slot__schedule__in=diaries,
        slot__start__lt=end,
        slot__end__gt=start,
        direction=Direction.RECEIVED,
        status=BookingStatus.BOOKED,
    )
    return booked.select_related("patient", "service", "slot__schedule").order_by("start")


def free_slots_of(service: HealthcareService, day: date, *, now: datetime) -> QuerySet[Slot]:
    """Where a booking could be moved to on one London day, by time and diary."""
    begin, end = london_midnight(day), london_midnight(day + timedelta(days=1))
    free = Slot.objects.filter(
        service=service,
        status=SlotStatus.FREE,
        start__gte=begin,
        start__lt=end,
        end__gt=now,
        schedule__active=True,
    )
    return free.select_related("schedule").order_by("start", *_by_name("schedule__"))


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


def free_within(alarm: CapacityAlarm, *, now: datetime) -> int:
    """Free slots that can still be booked and start within the alarm's hours."""
    lead = ExpressionWrapper(F("schedule__lead_minutes") * timedelta(minutes=1) + now, DateTimeField())
    free = Slot.objects.filter(
        service=alarm.service_id,
        status=SlotStatus.FREE,
        start__gte=now,
        start__lt=now + timedelta(hours=alarm.hours),
        schedule__active=True,
    )
    return free.filter(start__gte=lead).count()


def alarms_of(acting: Acting) -> QuerySet[CapacityAlarm]:
    """Of the acting organisation's services, by name; none without the permission."""
    if not acting.may(RUN_DIARY):
        return CapacityAlarm.objects.none()
    ours = CapacityAlarm.objects.filter(service__provider=acting.organisation)
    return ours.select_related("service__provider").order_by("service__name")


def feed_slots(feed: DiaryFeed, *, now: datetime) -> list[tuple[Slot, str]]:
    """Slots with the reference of who booked them, "" where nobody did, in order of time."""
    slots = Slot.objects.filter(
        service=feed.service,
        start__gte=now - timedelta(days=1),
        start__lt=now + timedelta(days=FEED_DAYS),
        schedule__active=True,
    ).exclude(status=SlotStatus.WITHDRAWN)
    live = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)
    booked = Booking.objects.filter(slot__in=slots, direction=Direction.RECEIVED, status__in=live)
    references = dict(booked.values_list("slot_id", "reference"))
    ordered = slots.select_related("schedule").order_by("start", "schedule__name")
    return [(slot, references.get(slot.pk, "")) for slot in ordered]


def waiting_list(acting: Acting, *, now: datetime, free_only: bool = False) -> QuerySet[WaitingEntry]:
    """Who found no time of the services of the acting organisation today, the longest waiting first.

    `free_only`: those alone for whom one is free now. None without the permission.
    """
    if not acting.may(RUN_DIARY):
        return WaitingEntry.objects.none()
    waiting = _waiting(now, free_only=free_only)
    return waiting.filter(service__provider=acting.organisation, service__hosted=True)


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
