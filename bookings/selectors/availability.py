"""When our own services are next free; what others offer is only known by asking them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from bookings.models import Slot
from bookings.models.diary import SlotStatus
from directory.models import HealthcareService


def next_free_slots(now: datetime) -> Mapping[UUID, datetime]:
    """Start of the first free slot after now, by service; one look into the slots' index a service."""
    free = Slot.objects.filter(service=OuterRef("pk"), status=SlotStatus.FREE, start__gte=now)
    hosted = HealthcareService.objects.filter(hosted=True, active=True, takes_bookings=True)
    found = hosted.annotate(next_free=Subquery(free.order_by("start").values("start")[:1]))
    return dict(found.filter(next_free__isnull=False).order_by().values_list("pk", "next_free"))
