"""Alarms for services that run out of free slots: set by managers, raised and ended by the clock."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts import mail
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.audit.services import record
from bookings.models import CapacityAlarm
from bookings.policies import check_can_run
from bookings.selectors.running import free_within, roles_that_run
from directory.models import HealthcareService

_TEXT = (
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
        text = _TEXT.format(service=alarm.service.name, least=alarm.least, hours=alarm.hours)
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
