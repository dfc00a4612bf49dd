"""Clinics: a plan applied and undone, switched off and on, filled ahead; and alarms when few slots are free.

A booked slot is never touched.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction

from bars_portal.accounts import mail
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import in_london
from bookings.models import CapacityAlarm, Clinic, ClinicRun, Schedule, Slot, SlotStatus, Standing
from bookings.models.plan import LaneChange, Plan
from bookings.policies import check_can_run
from bookings.selectors.clinics import (
    PlanChange,
    free_within,
    horizon_of,
    plan_change,
    plan_times,
    roles_that_run,
    still_so,
)
from bookings.services.diaries import BATCH, fill, lock_diaries, write_slots
from directory.models import HealthcareService

logger = logging.getLogger(__name__)

CHANGED_MEANWHILE = (
    "Somebody booked or changed something meanwhile. Nothing is written yet: look at what would change now."
)


@transaction.atomic
def apply_plan(
    *,
    service: HealthcareService,
    clinic: Clinic | None,
    plan: Plan,
    from_day: date,
    seen: str,
    acting: Acting,
    now: datetime,
    adopts: Schedule | None = None,
) -> ClinicRun:
    """Make the clinic (`clinic` None), or change it from a day on, as `plan_change` has shown it.

    `adopts`: a diary without a clinic, which becomes the first lane of a new one. Raises PolicyRefused, also
    when the outcome would be another than `seen` says (`seen_at`).
    """
    check_can_run(acting, service)
    before = None
    if clinic is None:
        clinic = Clinic.objects.create(
            service=service, name=plan.name, plan=plan.as_json(), created_at=now, updated_at=now
        )
        if adopts is not None:
            _adopt(clinic, adopts, service)
    else:
        clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk, service=service)
        before = clinic.plan
    change = _carry_out(clinic, plan, from_day, seen, now)
    run = ClinicRun.objects.create(
        clinic=clinic,
        at=now,
        by=acting.user,
        from_day=from_day,
        before=before,
        after=plan.as_json(),
        **change.numbers,
    )
    _record("bookings.apply_plan", clinic, change, acting, now)
    return run


def _adopt(clinic: Clinic, diary: Schedule, service: HealthcareService) -> None:
    taken = Schedule.objects.filter(pk=diary.pk, service=service, clinic=None).update(clinic=clinic, lane=1)
    if not taken:
        raise PolicyRefused("Somebody made a clinic of this diary meanwhile.")


@transaction.atomic
def undo_run(*, run: ClinicRun, seen: str, acting: Acting, now: datetime) -> Clinic:
    """Go back to the plan before the last run; what it began is emptied and switched off. Booked slots stay.

    Raises PolicyRefused.
    """
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=run.clinic_id)
    check_can_run(acting, clinic.service)
    last = last_run(clinic)
    if last is None or last.pk != run.pk:
        raise PolicyRefused("Only the last change can be undone, and this one is not the last any more.")
    plan = Plan.from_json(run.before) if run.before is not None else None
    change = _carry_out(clinic, plan, run.from_day, seen, now)
    ClinicRun.objects.filter(pk=run.pk).update(undone_at=now, undone_by=acting.user)
    _record("bookings.undo_plan", clinic, change, acting, now)
    return clinic


def last_run(clinic: Clinic) -> ClinicRun | None:
    """The one that can be undone."""
    return clinic.runs.filter(undone_at=None).first()


def _carry_out(clinic: Clinic, plan: Plan | None, from_day: date, seen: str, now: datetime) -> PlanChange:
    """The clinic is locked. `plan` None: nothing is to be left but what is booked."""
    _set_lanes(clinic, plan)
    diaries = lock_diaries(list(clinic.lanes.values_list("pk", flat=True)))
    if not still_so(seen, plan, diaries=diaries, from_day=from_day, now=now):
        raise PolicyRefused(CHANGED_MEANWHILE)
    by_lane = {each.lane: each for each in diaries}
    for lane in plan_change(plan, diaries=diaries, from_day=from_day, now=now).lanes:
        _withdraw(lane, now)
    # Somebody may have booked one of them just now: it stays, and what would run into it is left out.
    change = plan_change(plan, diaries=diaries, from_day=from_day, now=now)
    for lane in change.lanes:
        write_slots(by_lane[lane.lane], lane.made, now)
        _mark([each.id for each in lane.kept], Standing.PLANNED, Standing.LEAVING)
        _mark([each.id for each in lane.same], Standing.LEAVING, Standing.PLANNED)
    clinic.active = plan is not None and (clinic.active or not clinic.filled_until)
    clinic.left_out = change.numbers["clashes"]
    clinic.filled_until = change.last_day if plan is not None else None
    if plan is not None:
        clinic.name, clinic.plan = plan.name, plan.as_json()
    clinic.updated_at = now
    clinic.save(update_fields=["name", "active", "plan", "filled_until", "left_out", "updated_at"])
    _switch_lanes(clinic, plan)
    return change


def _set_lanes(clinic: Clinic, plan: Plan | None) -> None:
    """Diaries for all lanes of the plan, named and described as it says; more lanes stay as they are."""
    if plan is None:
        return
    there = {each.lane: each for each in clinic.lanes.all()}
    for lane in range(1, plan.lanes + 1):
        diary = there.get(lane) or Schedule(clinic=clinic, lane=lane, service=clinic.service)
        diary.name = plan.name if plan.lanes == 1 else f"{plan.name}, lane {lane}"
        diary.slot_minutes, diary.lead_minutes = plan.slot_minutes, plan.lead_minutes
        for name in _OF_BOTH:
            setattr(diary, name, getattr(plan, name))
        diary.save()


_OF_BOTH = (
    "delivery_channel",
    "practitioner_prefix",
    "practitioner_given",
    "practitioner_family",
    "practitioner_gender",
    "practitioner_role_code",
    "practitioner_role",
    "location_name",
)


def _switch_lanes(clinic: Clinic, plan: Plan | None) -> None:
    lanes = plan.lanes if plan is not None and clinic.active else 0
    clinic.lanes.filter(lane__lte=lanes).update(active=True)
    clinic.lanes.filter(lane__gt=lanes).update(active=False)


def _withdraw(lane: LaneChange, now: datetime) -> None:
    for ids in _batches([each.id for each in lane.withdrawn]):
        open_still = (SlotStatus.FREE, SlotStatus.BUSY_UNAVAILABLE)
        Slot.objects.filter(pk__in=ids, status__in=open_still).update(
            status=SlotStatus.WITHDRAWN, updated_at=now
        )


def _mark(ids: Sequence[UUID], before: Standing, after: Standing) -> None:
    for batch in _batches(ids):
        Slot.objects.filter(pk__in=batch, standing=before).update(standing=after)


def _batches(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [ids[place : place + BATCH] for place in range(0, len(ids), BATCH)]


@transaction.atomic
def switch(*, clinic: Clinic, on: bool, acting: Acting, now: datetime) -> Clinic:
    """Off: nothing of it is offered from this moment, and a booking of it is refused; what is booked stays.

    On: what is there is offered again, and what is missing is made with the next look ahead.
    """
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    check_can_run(acting, clinic.service)
    lock_diaries(list(clinic.lanes.values_list("pk", flat=True)))
    clinic.active, clinic.updated_at = on, now
    clinic.save(update_fields=["active", "updated_at"])
    _switch_lanes(clinic, clinic.planned)
    action = "bookings.switch_clinic_on" if on else "bookings.switch_clinic_off"
    record(actor=acting.actor, action=action, subject=clinic, now=now)
    return clinic


def fill_clinics(*, now: datetime) -> int:
    """Make the slots of all clinics as far ahead as their plans say; returns how many are new.

    One that fails keeps the others from nothing: it stays behind, which home tells its managers.
    """
    made = 0
    for clinic_id in Clinic.objects.filter(active=True).values_list("pk", flat=True):
        try:
            made += _fill_clinic(clinic_id, now)
        except DatabaseError:
            logger.exception("The slots of clinic %s could not be made", clinic_id)
    return made


@transaction.atomic
def _fill_clinic(clinic_id: UUID, now: datetime) -> int:
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic_id)
    plan, today = clinic.planned, in_london(now).date()
    begin = max(clinic.filled_until + timedelta(days=1), today) if clinic.filled_until else today
    last_day = horizon_of(plan, now)
    if not clinic.active or (last_day < begin and not clinic.left_out):
        return 0
    if clinic.left_out:
        # What was in the way may be gone. The plan counts from the day of the last change only.
        run = last_run(clinic)
        begin = min(begin, max(run.from_day, today)) if run else begin
    times = [each for each in plan_times(plan, first_day=begin, last_day=last_day) if each[0] >= now]
    lanes = clinic.lanes.filter(lane__lte=plan.lanes).values_list("pk", flat=True)
    found = [fill(diary, times, now) for diary in lock_diaries(list(lanes))]
    clinic.filled_until = max(last_day, clinic.filled_until or last_day)
    clinic.left_out = sum(each.left_out for each in found)
    clinic.save(update_fields=["filled_until", "left_out"])
    return sum(each.made for each in found)


def _record(action: str, clinic: Clinic, change: PlanChange, acting: Acting, now: datetime) -> None:
    detail: dict[str, str | int | None] = {**change.numbers, "since": change.since.isoformat()}
    record(actor=acting.actor, action=action, subject=clinic, detail=detail, now=now)


# -- too few free slots: alarms, set by managers and raised by the clock

_ALARM = (
    "{service} has fewer than {least} free slots in the next {hours} hours.\n\n"
    "Add slots in its diary, or stop what it offers. The alarm ends by itself when there are enough again.\n"
)


@transaction.atomic
def set_alarm(*, service: HealthcareService, least: int, hours: int, acting: Acting, now: datetime) -> None:
    """In place of the one that it has. Judged within minutes. Raises PolicyRefused."""
    check_can_run(acting, service)
    stated = {"least": least, "hours": hours, "set_at": now, "raised_at": None, "mailed_at": None}
    CapacityAlarm.objects.update_or_create(service=service, defaults=stated)
    detail: dict[str, str | int | None] = {"least": least, "hours": hours}
    record(actor=acting.actor, action="bookings.set_capacity_alarm", subject=service, detail=detail, now=now)


@transaction.atomic
def end_alarm(*, alarm: CapacityAlarm, acting: Acting, now: datetime) -> None:
    """It is judged no more. Raises PolicyRefused."""
    check_can_run(acting, alarm.service)
    if CapacityAlarm.objects.filter(pk=alarm.pk).delete()[0]:
        record(actor=acting.actor, action="bookings.end_capacity_alarm", subject=alarm.service, now=now)


def judge_alarms(*, now: datetime) -> int:
    """Raise what is too low and end what is not; how many have changed. Two at once change a row once."""
    changed = 0
    for alarm in CapacityAlarm.objects.select_related("service"):
        is_low = is_too_low(alarm, now=now)
        # As it was read: one that a manager has set anew meanwhile is judged next time.
        same = CapacityAlarm.objects.filter(pk=alarm.pk, set_at=alarm.set_at, raised_at__isnull=is_low)
        changed += same.update(raised_at=now if is_low else None, mailed_at=None)
    return changed


def is_too_low(alarm: CapacityAlarm, *, now: datetime) -> bool:
    return free_within(alarm, now=now) < alarm.least


def mail_alarms(*, now: datetime) -> int:
    """Tell managers once of each alarm that is raised; of how many alarms they were told.

    Claimed first, so that two workers tell it once; what no server took is told again next time.
    """
    if not mail.can_send():
        return 0
    told = 0
    raised = CapacityAlarm.objects.filter(raised_at__isnull=False, mailed_at=None)
    for alarm in raised.select_related("service"):
        claim = CapacityAlarm.objects.filter(pk=alarm.pk, raised_at=alarm.raised_at)
        people = managers_of(alarm.service)
        if not people or not claim.filter(mailed_at=None).update(mailed_at=now):
            continue
        text = _ALARM.format(service=alarm.service.name, least=alarm.least, hours=alarm.hours)
        if mail.send(to=people, subject="Few free slots", text=text):
            told += 1
        else:
            claim.update(mailed_at=None)
    return told


def managers_of(service: HealthcareService) -> list[str]:
    """Mail addresses of who runs its diaries."""
    people = User.objects.filter(
        is_active=True,
        memberships__organisation=service.provider_id,
        memberships__role__in=roles_that_run(),
    )
    return list(people.exclude(email="").order_by("email").values_list("email", flat=True).distinct())
