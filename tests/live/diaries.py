"""A diary of the demo that is not in use, made inside the stack (Stack.call)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from bookings.models import Schedule, Slot
from directory.models import HealthcareService


def close_one(slot_id: str, start: str, service_id: str) -> None:
    """With one free slot of a quarter of an hour, which nothing else finds."""
    service = HealthcareService.objects.get(service_id=service_id)
    diary = Schedule.objects.create(service=service, name=f"Closed {slot_id[:8]}", active=False)
    begins = datetime.fromisoformat(start)
    Slot.objects.create(
        id=UUID(slot_id),
        schedule=diary,
        service=service,
        start=begins,
        end=begins + timedelta(minutes=15),
        updated_at=timezone.now(),
    )
