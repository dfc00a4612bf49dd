"""What happens to a booking, written down: its status changes, the patient is told, a colleague looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.history import change_if, write_step
from bars_portal.correspondence.states import Direction
from bookings import policies, ports
from bookings.models import Booking, BookingStatusChange
from bookings.selectors.sent import told_together
from bookings.states import BookingEvent, BookingStatus, next_status


@transaction.atomic
def change_status(
    *,
    booking: Booking,
    event: BookingEvent,
    actor: Actor,
    now: datetime,
    note: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Booking:
    """The one way a booking changes: along the table, with history and audit.

    Sets `changes` (field: value) with it.

    Raises TransitionRefused when the event has no meaning now, or when the database says that somebody
    else was first.
    """
    before = BookingStatus(booking.status)
    after = next_status(Direction(booking.direction), before, event)
    values = {**(changes or {}), "status": after.value, "updated_at": now}
    if "explanation" in values:
        values.setdefault("explanation_code", "")
    change_if(booking, still={"status": before.value}, values=values)
    _write_step(booking, event, before.value, actor, now, note)
    if booking.direction == Direction.SENT and before is not after:
        ports.settled.provider(booking, actor, now)
    return booking


def start_history(
    *, booking: Booking, event: BookingEvent, actor: Actor, now: datetime, note: str = ""
) -> None:
    """Write a new booking with its first step."""
    _write_step(booking, event, "", actor, now, note, beside=[booking])


def _write_step(
    booking: Booking,
    event: BookingEvent,
    before: str,
    actor: Actor,
    now: datetime,
    note: str,
    beside: Sequence[Booking] = (),
) -> None:
    write_step(
        BookingStatusChange(booking=booking, resource=booking.resource),
        about=booking,
        event=event.value,
        before=before,
        actor=actor,
        now=now,
        note=note,
        detail={"service_id": booking.service.service_id},
        beside=beside,
    )


@transaction.atomic
def mark_patient_told(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """Tick the task "tell the patient"; once ticked, the first time stays. Raises PolicyRefused.

    The patient is told of what was cancelled for this appointment at the same time.
    """
    policies.check_can_mark_told(acting, booking)
    for each in (booking, *told_together(booking)):
        if Booking.objects.filter(pk=each.pk, patient_told_at=None).update(patient_told_at=now):
            each.patient_told_at = now
            _record(each, acting, "bookings.mark_patient_told", now)
    return booking


def record_view(*, booking: Booking, acting: Acting, now: datetime) -> None:
    """Seeing a patient's appointment is an event of its own. Raises PolicyRefused, which is recorded too."""
    try:
        policies.check_can_view(acting, booking)
    except PolicyRefused:
        _record(booking, acting, "bookings.view_booking", now, outcome="refused")
        raise
    _record(booking, acting, "bookings.view_booking", now)


@transaction.atomic
def record_views(*, bookings: Sequence[Booking], acting: Acting, now: datetime) -> None:
    """Several on one page that names their patients. Raises PolicyRefused."""
    for booking in bookings:
        record_view(booking=booking, acting=acting, now=now)


def _record(booking: Booking, acting: Acting, action: str, now: datetime, outcome: str = "done") -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=booking,
        outcome=outcome,
        correlation_id=booking.correlation_id,
        now=now,
    )
