"""What a service does with a booking that it received, the calls that follow, and who waits for its times.

The standard has no message from a service to who booked: they see a change when they read the booking. So
each change that they would have to know of leaves a call to make, which a person closes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.entries import full_url
from bars_portal.correspondence.explanations import ReasonCode
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.nhsuk.dates import format_datetime, in_london
from bars_portal.patients.models import Journey
from bars_portal.sql import ask
from bookings import policies, ports
from bookings.mapping.received import cancelled_here, moved
from bookings.mapping.slots import SlotTexts, entries_with_slots, slot_entry
from bookings.models import Booking, Closing, SenderCall, Slot, WaitingEntry
from bookings.models.diary import DiaryRow, paired_id
from bookings.ports import Companion
from bookings.services.diaries import release_slot
from bookings.services.history import change_status
from bookings.slots import DAYS_SHOWN, SlotProblem, SlotSearch, days_from, search_slots
from bookings.states import BookingEvent
from directory.models import HealthcareService
from directory.remote import sender_identity
from directory.selectors.services import facts_of

_CAME_ALL_THE_SAME = (
    "The patient attended. Who referred was told that they did not, and that the referral is over."
)
TAKEN = "This time is not free any more. Choose another one."
_INCLUDES = frozenset(
    {
        SlotInclude.SCHEDULE,
        SlotInclude.SERVICE,
        SlotInclude.PRACTITIONER,
        SlotInclude.PRACTITIONER_ROLE,
        SlotInclude.LOCATION,
    }
)
# Who runs the diary may use a time that it is too late for others to book.
_TAKE = """
UPDATE bookings_slot AS slot SET updated_at = %s, status = 'busy'
WHERE slot.id = %s AND slot.service_id = %s AND slot.status = 'free' AND slot."end" > %s
    AND EXISTS (SELECT FROM bookings_schedule AS diary WHERE diary.id = slot.schedule_id AND diary.active)
RETURNING slot.id
"""


@transaction.atomic
def move_booking(*, booking: Booking, slot_id: UUID, reason: str, acting: Acting, now: datetime) -> Booking:
    """To a free slot of the same service. Raises PolicyRefused, and TransitionRefused for who was second."""
    booking = _locked(booking)
    policies.check_can_move(acting, booking)
    if not ask(_TAKE, now, slot_id, booking.service_id, now):
        raise PolicyRefused(TAKEN)
    slot = Slot.objects.select_related("schedule").get(pk=slot_id)
    left, version = booking.slot_id, booking.version + 1
    resource, included = _at(booking, slot, version, now)
    words = f"Moved from {format_datetime(booking.start)} to {format_datetime(slot.start)}"
    if slot.schedule_id != (booking.slot.schedule_id if booking.slot else None):
        words += f", {slot.schedule.name}"
    change_status(
        booking=booking,
        event=BookingEvent.MOVE,
        actor=acting.actor,
        now=now,
        note=f"{words}. {reason}",
        changes={
            "slot_id": slot.pk,
            "start": slot.start,
            "end": slot.end,
            "resource": resource,
            "included": included,
            "version": version,
        },
    )
    release_slot(slot_id=left, now=now)
    _ask_for_call(booking, f"{words}.", now)
    return booking


def _locked(booking: Booking) -> Booking:
    rows = Booking.objects.select_for_update(of=("self",)).select_related(
        "service__provider", "journey", "slot"
    )
    return rows.get(pk=booking.pk)


def _at(
    booking: Booking, slot: Slot, version: int, now: datetime
) -> tuple[dict[str, object], list[list[object]]]:
    """The Appointment and what goes with it at another slot."""
    diary = slot.schedule
    texts = SlotTexts(
        paired_id=paired_id(slot.pk),
        id=str(slot.pk),
        updated_at=format_london(now),
        schedule_paired_id=paired_id(diary.pk),
        status="busy",
        start=format_london(slot.start),
        end=format_london(slot.end),
        channel=diary.delivery_channel,
    )
    row = DiaryRow(**{name: getattr(diary, name) for name in DiaryRow._fields})
    return moved(
        booking.resource,
        booking.included,
        slot=(full_url(paired_id(slot.pk)), slot_entry(texts)["resource"]),
        around=entries_with_slots([row], facts=facts_of(booking.service), includes=_INCLUDES, now=now),
        version=version,
        now=now,
    )


@transaction.atomic
def cancel_received(*, booking: Booking, reason: str, acting: Acting, now: datetime) -> Booking:
    """The service takes it back; its time is free again. Raises PolicyRefused and TransitionRefused."""
    booking = _locked(booking)
    policies.check_can_move(acting, booking)
    version = booking.version + 1
    change_status(
        booking=booking,
        event=BookingEvent.CANCEL_HERE,
        actor=acting.actor,
        now=now,
        note=reason,
        changes={
            "resource": cancelled_here(booking.resource, reason=reason, version=version, now=now),
            "version": version,
            "cancel_reason": reason,
        },
    )
    release_slot(slot_id=booking.slot_id, now=now)
    _ask_for_call(booking, f"Cancelled by the service: {format_datetime(booking.start)}.", now)
    return booking


@transaction.atomic
def record_attendance(*, booking: Booking, attended: bool, acting: Acting, now: datetime) -> list[Companion]:
    """Not before its time. Who did not come ends the referrals that go with it, which tells who referred.

    Gives those. Raises PolicyRefused, and TransitionRefused when it says so already.
    """
    policies.check_can_say_attended(acting, booking, now)
    told = [each for each in ports.companions.provider(booking, acting).found if each.ended_by_absence]
    event = BookingEvent.ATTEND if attended else BookingEvent.MISS
    change_status(booking=booking, event=event, actor=acting.actor, now=now)
    if not attended:
        return ports.end_by_absence.provider(booking, acting, now)
    if told:
        _ask_for_call(booking, _CAME_ALL_THE_SAME, now)
    return []


@transaction.atomic
def add_note(*, booking: Booking, text: str, acting: Acting, now: datetime) -> Booking:
    """For colleagues, in the booking's history. Raises PolicyRefused and TransitionRefused."""
    policies.check_can_run_booking(acting, booking)
    return change_status(booking=booking, event=BookingEvent.NOTE, actor=acting.actor, now=now, note=text)


def _ask_for_call(booking: Booking, message: str, now: datetime) -> None:
    SenderCall.objects.create(booking=booking, message=message, made_at=now)


@transaction.atomic
def close_call(*, call: SenderCall, spoke_to: str, acting: Acting, now: datetime) -> SenderCall:
    """Somebody has phoned. Raises PolicyRefused: also when a colleague was first."""
    policies.check_can_run_booking(acting, call.booking)
    waiting = SenderCall.objects.filter(pk=call.pk, closed_at=None)
    if not waiting.update(closed_at=now, closed_by=acting.user, spoke_to=spoke_to):
        raise PolicyRefused("A colleague has closed this call already.")
    record(
        actor=acting.actor,
        action="bookings.close_call",
        subject=call.booking,
        correlation_id=call.booking.correlation_id,
        now=now,
    )
    return call


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
    policies.check_can_close_waiting(acting, entry)
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
