"""The receiving side's diary: slots of our services by day, with who booked them."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import london_midnight
from bookings.models import Booking, Slot
from bookings.states import BookingStatus
from directory.models import HealthcareService


@dataclass(frozen=True)
class DiaryEntry:
    """A slot, and the booking that has it (None: free, blocked, or not for this person to see)."""

    slot: Slot
    booking: Booking | None = None


def diary_services(acting: Acting) -> list[HealthcareService]:
    """Services of the acting organisation that have a diary here, by name."""
    if not acting.may("bookings.view_diary"):
        return []
    ours = HealthcareService.objects.filter(provider=acting.organisation, hosted=True)
    return list(ours.filter(schedules__isnull=False).distinct().order_by("name"))


def diary_of(
    acting: Acting, service: HealthcareService, *, first_day: date, days: int = 1
) -> list[DiaryEntry]:
    """Slots of `days` London days in order of time; empty for a service of somebody else. Two queries."""
    if service.provider_id != acting.organisation.pk or not acting.may("bookings.view_diary"):
        return []
    begin, end = london_midnight(first_day), london_midnight(first_day + timedelta(days=days))
    slots = Slot.objects.filter(service=service, start__gte=begin, start__lt=end)
    taken = _bookings_of(slots) if acting.may("bookings.view_received_bookings") else {}
    ordered = slots.select_related("schedule").order_by("start", "schedule__name")
    return [DiaryEntry(slot, taken.get(slot.pk)) for slot in ordered]


def _bookings_of(slots: QuerySet[Slot]) -> dict[UUID | None, Booking]:
    current = Booking.objects.filter(
        slot__in=slots, direction=Direction.RECEIVED, status=BookingStatus.BOOKED
    )
    return {booking.slot_id: booking for booking in current.select_related("patient", "service", "journey")}
