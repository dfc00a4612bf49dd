"""Too few free slots: alarms, set by managers and raised by the clock, and who waits for a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.accounts import mail
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.explanations import ReasonCode
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.models import Journey
from bookings.models import Booking, CapacityAlarm, Closing, WaitingEntry
from bookings.policies import check_can_close_waiting, check_can_run
from bookings.selectors.clinics import free_within, roles_that_run
from bookings.slots import DAYS_SHOWN, SlotProblem, SlotSearch, days_from, search_slots
from directory.models import HealthcareService
from directory.remote import sender_identity

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


# -- who waits for a time: people of the organisations here, at services that are hosted here


def find_times(
    client: BarsClient,
    *,
    service: HealthcareService,
    start: datetime,
    end: datetime,
    acting: Acting,
    now: datetime,
    journey: Journey | None = None,
) -> SlotSearch:
    """`search_slots` for somebody who wants one of these times, for the case of `journey` if there is one.

    Who finds none at a service of ours is on its waiting list for the day. Call it outside any transaction.
    """
    found = search_slots(
        client, service=service, start=start, end=end, sender=sender_identity(acting), now=now
    )
    if service.hosted and found.problem is SlotProblem.NONE_IN_RANGE:
        wanted = {"wanted_from": start, "wanted_until": end}
        _wait(service, journey, acting.organisation.pk, acting.actor, now, wanted)
    elif service.hosted and found.offers and journey is None:
        # Nobody knows for whom the earlier search was; who looked has times before them now.
        waiting = WaitingEntry.objects.filter(service=service, user=acting.user, journey=None, closed_at=None)
        waiting.filter(organisation=acting.organisation).update(closed_at=now, closed_as=Closing.FOUND)
    return found


_NO_SLOT = (ReasonCode.TAKEN, ReasonCode.NOT_FOUND)


def note_refusal(*, booking: Booking, actor: Actor, now: datetime) -> None:
    """A booking that a service of ours refused as its slot was gone; in the transaction that settles it."""
    if not booking.service.hosted or booking.explanation_code not in _NO_SLOT:
        return
    # The days that its page offers instead.
    first, last = days_from(in_london(booking.start).date(), days=DAYS_SHOWN)
    wanted = {"wanted_from": first, "wanted_until": last, "booking": booking}
    _wait(booking.service, booking.journey, booking.organisation_id, actor, now, wanted)


def _wait(
    service: HealthcareService,
    journey: Journey | None,
    organisation_id: int,
    actor: Actor,
    now: datetime,
    wanted: dict[str, Any],
) -> None:
    """Once for each case, or each person who named none: a constraint of the database settles races."""
    who = {"user_id": actor.user_id, "organisation_id": organisation_id}
    one: dict[str, Any] = {"journey": journey} if journey is not None else {"journey": None, **who}
    stated = {**who, "label": actor.label, "refused_at": now, **wanted}
    WaitingEntry.objects.update_or_create(service=service, closed_at=None, **one, defaults=stated)


@transaction.atomic
def close_waiting(*, entry: WaitingEntry, reason: str, acting: Acting, now: datetime) -> None:
    """Take an entry off the list, for a Closing. Raises PolicyRefused: also when a colleague was first."""
    check_can_close_waiting(acting, entry)
    open_still = WaitingEntry.objects.filter(pk=entry.pk, closed_at=None)
    if not open_still.update(closed_at=now, closed_by=acting.user, closed_as=Closing(reason)):
        raise PolicyRefused("Somebody has taken this off the list already.")
    record(
        actor=acting.actor,
        action="bookings.close_waiting",
        subject=entry,
        detail={"reason": reason},
        correlation_id=entry.journey.correlation_id if entry.journey else None,
        now=now,
    )


@transaction.atomic
def record_looks(*, entries: Iterable[WaitingEntry], acting: Acting, now: datetime) -> None:
    """A list that names the patients of these entries was read."""
    for entry in entries:
        if entry.journey is not None:
            record(
                actor=acting.actor,
                action="bookings.view_waiting_list",
                subject=entry.booking or entry.journey,
                correlation_id=entry.journey.correlation_id,
                now=now,
            )
