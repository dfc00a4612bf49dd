"""Making, adding, blocking, freeing and releasing slots, and feeds of them; a booked slot is never touched.

Whoever changes the slots of a diary locks its row first, so that two managers go one after the other. Who
books does not: a slot is taken, blocked or withdrawn by one conditional statement, and the database says who
was first.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.sql import ask
from bookings.models import DiaryBlock, DiaryFeed, Schedule, Slot, SlotStatus, Standing
from bookings.models.diary import Period, slot_times, times_between
from bookings.policies import check_can_run
from directory.models import HealthcareService

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
    pattern = lock_diaries([schedule.pk])[0]
    # The diaries of a clinic have the slots of its plan, and no others.
    times = [] if pattern.clinic_id else list(slot_times(pattern, first_day=first_day, days=days))
    made = fill(pattern, times, now)
    if actor is not None:
        detail: dict[str, str | int | None] = {
            **made._asdict(),
            "first_day": first_day.isoformat(),
            "days": days,
        }
        record(actor=actor, action="bookings.generate_slots", subject=schedule, detail=detail, now=now)
    return made


def lock_diaries(ids: Collection[UUID]) -> list[Schedule]:
    """In one order, so that nobody waits in a circle; inside a transaction."""
    return list(Schedule.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def fill(diary: Schedule, times: Sequence[Period], now: datetime) -> MadeSlots:
    """Make slots at those of the times that are free; the diary is locked."""
    free, made = _fitting(diary, times)
    write_slots(diary, free, now)
    return made


def foreseen(*, schedule: Schedule, first_day: date, days: int) -> MadeSlots:
    """What `make_slots` would make now."""
    return _fitting(schedule, list(slot_times(schedule, first_day=first_day, days=days)))[1]


def _fitting(diary: Schedule, times: Sequence[Period]) -> tuple[list[Period], MadeSlots]:
    """Those of the times at which no slot is or runs into them."""
    there = list(_slots_around(diary, times))
    free = times_between(there, times)
    return free, MadeSlots(len(free), len(times) - len(free) - len(set(times) & set(there)))


def write_slots(
    diary: Schedule, times: Sequence[Period], now: datetime, *, standing: Standing = Standing.PLANNED
) -> None:
    """New slots of a locked diary: blocked where it is blocked, else free."""
    blocked = list(standing_blocks(diary, times[0][0], times[-1][1])) if times else []
    Slot.objects.bulk_create(
        (
            Slot(
                schedule=diary,
                service_id=diary.service_id,
                start=start,
                end=end,
                status=SlotStatus.BUSY_UNAVAILABLE
                if any(each.start < end and start < each.end for each in blocked)
                else SlotStatus.FREE,
                standing=standing,
                updated_at=now,
            )
            for start, end in times
        ),
        batch_size=BATCH,
    )


def standing_blocks(diary: Schedule, start: datetime, end: datetime) -> QuerySet[DiaryBlock]:
    return DiaryBlock.objects.filter(schedule=diary, ended_at=None, start__lt=end, end__gt=start)


def _slots_around(schedule: Schedule, times: Sequence[Period]) -> Iterable[Period]:
    """Slots of the diary, in order of time, that any of the times could run into."""
    if not times:
        return ()
    slots = Slot.objects.filter(schedule=schedule, start__lt=times[-1][1], end__gt=times[0][0])
    slots = slots.exclude(status=SlotStatus.WITHDRAWN)
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


@transaction.atomic
def add_slots(*, schedule: Schedule, times: Sequence[Period], actor: Actor, now: datetime) -> MadeSlots:
    """Slots beside the plan, in order of time: no later plan withdraws them."""
    diary = lock_diaries([schedule.pk])[0]
    there = list(_slots_around(diary, times))
    free = times_between(there, times)
    write_slots(diary, free, now, standing=Standing.ADDED)
    made = MadeSlots(len(free), len(times) - len(free))
    detail: dict[str, str | int | None] = {**made._asdict()}
    record(actor=actor, action="bookings.add_slots", subject=schedule, detail=detail, now=now)
    return made


@transaction.atomic
def block_range(
    *, diaries: Collection[UUID], start: datetime, end: datetime, reason: str, actor: Actor, now: datetime
) -> int:
    """Offer nothing of the diaries from `start` to `end`, also of slots made later; what is booked stays.

    Returns how many slots were taken out of the offer.
    """
    changed = 0
    for diary in lock_diaries(diaries):
        DiaryBlock.objects.create(
            schedule=diary, start=start, end=end, reason=reason, made_at=now, made_by=actor.label
        )
        changed += (
            _between(diary, start, end)
            .filter(status=SlotStatus.FREE)
            .update(status=SlotStatus.BUSY_UNAVAILABLE, updated_at=now)
        )
        _record_range("bookings.block_range", diary, start, end, reason, actor, now)
    return changed


@transaction.atomic
def free_range(
    *,
    diaries: Collection[UUID],
    start: datetime,
    end: datetime,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> int:
    """Offer again what was blocked from `start` to `end`; returns how many slots are free now.

    A slot that reaches into what stays blocked stays blocked. The reason stands on the audit trail.
    """
    changed = 0
    for diary in lock_diaries(diaries):
        _free(diary, start, end, now)
        still = DiaryBlock.objects.filter(
            schedule=diary, ended_at=None, start__lt=OuterRef("end"), end__gt=OuterRef("start")
        )
        blocked = _between(diary, start, end).filter(status=SlotStatus.BUSY_UNAVAILABLE)
        changed += blocked.exclude(Exists(still)).update(status=SlotStatus.FREE, updated_at=now)
        _record_range("bookings.free_range", diary, start, end, reason, actor, now)
    return changed


def _free(diary: Schedule, start: datetime, end: datetime, now: datetime) -> None:
    """End the blocks of that stretch, but for what of them lies outside it."""
    for block in standing_blocks(diary, start, end):
        DiaryBlock.objects.filter(pk=block.pk).update(ended_at=now)
        for begin, close in ((block.start, min(block.end, start)), (max(block.start, end), block.end)):
            if begin < close:
                DiaryBlock.objects.create(
                    schedule=diary,
                    start=begin,
                    end=close,
                    reason=block.reason,
                    made_at=block.made_at,
                    made_by=block.made_by,
                )


def _between(diary: Schedule, start: datetime, end: datetime) -> QuerySet[Slot]:
    return Slot.objects.filter(schedule=diary, start__lt=end, end__gt=start)


def _record_range(
    action: str, diary: Schedule, start: datetime, end: datetime, reason: str, actor: Actor, now: datetime
) -> None:
    detail: dict[str, str | int | None] = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "reason": reason or None,
    }
    record(actor=actor, action=action, subject=diary, detail=detail, now=now)


# Behind a manager who changes the diary at this moment: what they wrote is seen by the next statement.
_AFTER_MANAGERS = """
SELECT id FROM bookings_schedule WHERE id = (SELECT schedule_id FROM bookings_slot WHERE id = %s) FOR SHARE
"""


def release_slot(*, slot_id: UUID | None, now: datetime) -> None:
    """The slot of a booking that ended or moved: withdrawn when it was to leave, blocked where its diary is
    blocked, else free. In the transaction that ended it, afterwards.
    """
    if slot_id is None:
        return
    ask(_AFTER_MANAGERS, slot_id)
    slot = Slot.objects.filter(pk=slot_id, status=SlotStatus.BUSY)
    blocked = DiaryBlock.objects.filter(
        schedule=OuterRef("schedule"), ended_at=None, start__lt=OuterRef("end"), end__gt=OuterRef("start")
    )
    (
        slot.filter(standing=Standing.LEAVING).update(status=SlotStatus.WITHDRAWN, updated_at=now)
        or slot.filter(Exists(blocked)).update(status=SlotStatus.BUSY_UNAVAILABLE, updated_at=now)
        or slot.update(status=SlotStatus.FREE, updated_at=now)
    )


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
    """With the blocks that say the same, so that no later plan undoes it."""
    slots = Slot.objects.filter(pk__in=list(slot_ids), status=before)
    diaries = {each.pk: each for each in lock_diaries(set(slots.values_list("schedule_id", flat=True)))}
    there = list(slots)
    changed = slots.update(status=after, updated_at=now)
    for slot in there:
        if after is SlotStatus.FREE:
            _free(diaries[slot.schedule_id], slot.start, slot.end, now)
        else:
            DiaryBlock.objects.create(
                schedule_id=slot.schedule_id,
                start=slot.start,
                end=slot.end,
                made_at=now,
                made_by=actor.label,
            )
    record(actor=actor, action=action, detail={"asked": len(slot_ids), "changed": changed}, now=now)
    return changed


# -- secret addresses from which calendars read a diary: only a digest is kept

_MOST_FEED_DAYS = 365


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_feed(*, service: HealthcareService, days: int, acting: Acting, now: datetime) -> str:
    """The secret, which is told this once. Raises PolicyRefused."""
    check_can_run(acting, service)
    secret = token_urlsafe(32)
    feed = DiaryFeed.objects.create(
        organisation=acting.organisation,
        service=service,
        digest=digest_of(secret),
        made_at=now,
        made_by=acting.user,
        expires_at=now + timedelta(days=min(days, _MOST_FEED_DAYS)),
    )
    record(actor=acting.actor, action="bookings.make_feed", subject=feed, now=now)
    return secret


@transaction.atomic
def revoke_feed(*, feed: DiaryFeed, acting: Acting, now: datetime) -> None:
    """Its address shows nothing from this moment. Raises PolicyRefused."""
    check_can_run(acting, feed.service)
    if not DiaryFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=now):
        raise PolicyRefused("This address was closed before.")
    record(actor=acting.actor, action="bookings.revoke_feed", subject=feed, now=now)
