"""Diaries and bookings for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Patient
from bookings.models import Booking, Schedule, Slot
from bookings.states import BookingStatus
from directory.models import HealthcareService
from tests.factories.directory import make_service
from tests.factories.patients import make_patient

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def make_schedule(*, service: HealthcareService | None = None, **changes: Any) -> Schedule:
    """A diary of every day, 08:00 to 20:00, with `changes` to any field."""
    return Schedule.objects.create(service=service or make_service(), **{"name": "Room 1", **changes})


def make_slot(
    *, schedule: Schedule | None = None, start: datetime = TOMORROW, minutes: int = 15, **changes: Any
) -> Slot:
    diary = schedule or make_schedule()
    fields = {"updated_at": NOW, **changes}
    end = start + timedelta(minutes=minutes)
    return Slot.objects.create(schedule=diary, service=diary.service, start=start, end=end, **fields)


def make_booking(
    *,
    organisation: Organisation | None = None,
    service: HealthcareService | None = None,
    patient: Patient | None = None,
    direction: Direction = Direction.SENT,
    status: BookingStatus = BookingStatus.BOOKED,
    start: datetime = TOMORROW,
    **changes: Any,
) -> Booking:
    """A booking as it stands, without message and history. Received: it belongs to the service's provider."""
    where = service or make_service()
    owner = where.provider if direction is Direction.RECEIVED else organisation
    who = patient or make_patient(organisation=owner)
    fields: dict[str, Any] = {
        "use_case": "a1t2",
        "end": start + timedelta(minutes=15),
        "created_at": NOW,
        "updated_at": NOW,
        **changes,
    }
    return Booking.objects.create(
        direction=direction,
        status=status,
        organisation=who.organisation,
        service=where,
        patient=who,
        journey=who.journey,
        start=start,
        **fields,
    )
