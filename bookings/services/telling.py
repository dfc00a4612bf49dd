"""The people around a booking: the patient who was told, the colleague who looked."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bookings import policies
from bookings.models import Booking


@transaction.atomic
def mark_patient_told(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """Tick the task "tell the patient"; once ticked, the first time stays. Raises PolicyRefused."""
    policies.check_can_mark_told(acting, booking)
    if Booking.objects.filter(pk=booking.pk, patient_told_at=None).update(patient_told_at=now):
        booking.patient_told_at = now
        _record(booking, acting, "bookings.mark_patient_told", now)
    return booking


def record_view(*, booking: Booking, acting: Acting, now: datetime) -> None:
    """Seeing a patient's appointment is an event of its own. Raises PolicyRefused, which is recorded too."""
    try:
        policies.check_can_view(acting, booking)
    except policies.PolicyRefused:
        _record(booking, acting, "bookings.view_booking", now, outcome="refused")
        raise
    _record(booking, acting, "bookings.view_booking", now)


def _record(booking: Booking, acting: Acting, action: str, now: datetime, outcome: str = "done") -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=booking,
        outcome=outcome,
        correlation_id=booking.journey.correlation_id,
        now=now,
    )
