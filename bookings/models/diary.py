"""Our own diaries, as the receiver offers them."""

import uuid
from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.patients.models import Gender
from directory.models import HealthcareService


class DeliveryChannel(models.TextChoices):
    """Slot extension UKCore-DeliveryChannel."""

    IN_PERSON = "In-person", "In person"
    TELEPHONE = "Telephone", "Telephone"
    VIDEO = "Video", "Video"


class SlotStatus(models.TextChoices):
    """Slot.status. A manager blocks a slot as busy-unavailable; only a booking makes it busy."""

    FREE = "free", "Free"
    BUSY = "busy", "Booked"
    BUSY_UNAVAILABLE = "busy-unavailable", "Blocked"


def every_day() -> list[int]:
    return list(range(7))


class Schedule(models.Model):
    """A diary of one service with a weekly pattern, in London time, from which slots are made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    # Days of the week on which slots are made: 0 is Monday.
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]), default=every_day
    )
    day_start = models.TimeField("first slot starts", default=time(8))
    day_end = models.TimeField("last slot ends by", default=time(20))
    slot_minutes = models.PositiveSmallIntegerField(
        "minutes a slot", default=15, validators=[MinValueValidator(5), MaxValueValidator(480)]
    )
    # Sent only when known (journeys: "only when given").
    delivery_channel = models.CharField(max_length=12, choices=DeliveryChannel.choices, blank=True)
    practitioner_prefix = models.CharField("practitioner's title", max_length=35, blank=True)
    practitioner_given = models.CharField("practitioner's given name", max_length=100, blank=True)
    practitioner_family = models.CharField("practitioner's family name", max_length=100, blank=True)
    practitioner_gender = models.CharField(max_length=10, choices=Gender.choices, blank=True)
    practitioner_role_code = models.CharField("practitioner's role code", max_length=40, blank=True)
    practitioner_role = models.CharField("practitioner's role", max_length=100, blank=True)
    location_name = models.CharField("place", max_length=200, blank=True)

    class Meta:
        ordering = ["service__name", "name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(day_end__gt=models.F("day_start")), name="schedule_day_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name}: {self.name}"


class Slot(models.Model):
    """A stretch of time of a diary (FHIR Slot; its id is Slot.id on the wire)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="slots")
    # Repeated from the schedule, so that one composite index answers a search.
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="slots")
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=16, choices=SlotStatus.choices, default=SlotStatus.FREE)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["start"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "start"], name="slot_start_once"),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="slot_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["service", "status", "start"], name="slot_search")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} UTC"
