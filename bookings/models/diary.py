"""Our own diaries, as the receiver offers them: patterns, slots, and how both are told apart on the wire."""

import uuid
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.nhsuk.dates import format_short
from bars_portal.patients.models import Gender
from bookings.models.plan import MIDNIGHT as MIDNIGHT
from bookings.models.plan import Hours, day_times
from bookings.models.plan import Period as Period
from bookings.models.plan import times_between as times_between
from directory.models import HealthcareService, OfService
from directory.ports import ServingService


class DeliveryChannel(models.TextChoices):
    """Slot extension UKCore-DeliveryChannel."""

    IN_PERSON = "In-person", "In person"
    TELEPHONE = "Telephone", "Telephone"
    VIDEO = "Video", "Video"


class SlotStatus(models.TextChoices):
    """Slot.status. A manager blocks a slot as busy-unavailable; only a booking makes it busy.

    What is withdrawn is never offered again, and stays so that its id is known: a trigger sees to it.
    """

    FREE = "free", "Free"
    BUSY = "busy", "Booked"
    BUSY_UNAVAILABLE = "busy-unavailable", "Blocked"
    WITHDRAWN = "entered-in-error", "Withdrawn"


class Standing(models.TextChoices):
    """How a slot came to be, and whether it stays: one that leaves is booked, and withdrawn afterwards."""

    PLANNED = "planned", "Planned"
    ADDED = "added", "Added by hand"
    LEAVING = "leaving", "Leaves when it is not booked"


def every_day() -> list[int]:
    return list(range(7))


class Schedule(OfService, models.Model):
    """A diary of one service, with its slots. One of a clinic follows the clinic's plan, as one of its lanes;
    any other has a weekly pattern of its own, in London time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    clinic = models.ForeignKey(
        "Clinic", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="lanes"
    )
    lane = models.PositiveSmallIntegerField(null=True, editable=False)
    # So long before it starts a slot can be booked at the latest; 0: until it ends.
    lead_minutes = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Days of the week on which slots are made: 0 is Monday.
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]), default=every_day
    )
    day_start = models.TimeField("first slot starts", default=time(8))
    # Midnight is the end of the day, 24:00: Python knows no such time.
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
                condition=models.Q(day_end__gt=models.F("day_start")) | models.Q(day_end=MIDNIGHT),
                name="schedule_day_has_an_end",
                violation_error_message=(
                    "The last slot must end after the first one starts: at 24:00 at the latest."
                ),
            ),
            models.UniqueConstraint(fields=["clinic", "lane"], name="schedule_lane_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service.name}: {self.name}"

    @property
    def is_in_use(self) -> bool:
        """As DIARY_IN_USE says it in SQL."""
        place = self.service
        return self.active and place.active and place.hosted and place.takes_bookings


class Slot(models.Model):
    """A stretch of time of a diary (FHIR Slot; its id is Slot.id on the wire).

    No two of a diary overlap: a trigger refuses that as the constraint `slot_overlaps_none`. Another,
    `slot_booked_stays`, refuses to change or to free one that is booked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="slots")
    # Repeated from the schedule, so that one composite index answers a search.
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="slots")
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=16, choices=SlotStatus.choices, default=SlotStatus.FREE)
    standing = models.CharField(
        max_length=8, choices=Standing.choices, default=Standing.PLANNED, db_default="planned"
    )
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["start"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "start"],
                condition=~models.Q(status=SlotStatus.WITHDRAWN),
                name="slot_start_once",
            ),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")),
                name="slot_ends_after_start",
                violation_error_message="A slot must end after it starts.",
            ),
        ]
        indexes = [models.Index(fields=["service", "status", "start"], name="slot_search")]

    def __str__(self) -> str:
        return format_short(self.start)


def slot_times(schedule: Schedule, *, first_day: date, days: int) -> Iterator[Period]:
    """Start and end of every slot of the weekly pattern on `days` days from `first_day`: see `day_times`."""
    hours = [Hours(schedule.day_start, schedule.day_end)]
    for offset in range(days):
        day = first_day + timedelta(days=offset)
        if day.weekday() in schedule.weekdays:
            yield from day_times(day, hours, schedule.slot_minutes)


_HEX, _MIRRORED = "0123456789abcdef", "fedcba9876543210"
_MIRROR = str.maketrans(_HEX, _MIRRORED)


def paired_id(resource_id: UUID) -> str:
    """The UUID in a fullUrl: the id with its last four digits mirrored, a pair of its own for each id.

    It may not be equal to the id (standard section 5).
    """
    text = str(resource_id)
    return text[:-4] + text[-4:].translate(_MIRROR)


def paired_id_sql(column: str) -> str:
    """The same as an SQL expression over a uuid column."""
    return f"left({column}::text, 32) || translate(right({column}::text, 4), '{_HEX}', '{_MIRRORED}')"


# SQL over a diary and `place`, its service: whether anything of it is to be had at all.
DIARY_IN_USE = "diary.active AND place.active AND place.hosted AND place.takes_bookings"
# SQL over a slot and its diary, with two %s, the present moment each: whether it is not too late to book it.
IN_TIME = """slot."end" > %s
    AND (diary.lead_minutes = 0 OR slot.start >= %s + make_interval(mins => diary.lead_minutes))"""
# SQL over a row `slot` of bookings_slot, with two %s, the present moment: whether it may be booked now.
BOOKABLE = f"""slot.status = 'free' AND EXISTS (
    SELECT FROM bookings_schedule AS diary
    JOIN directory_healthcareservice AS place ON place.id = diary.service_id
    WHERE diary.id = slot.schedule_id AND {DIARY_IN_USE} AND {IN_TIME}
)"""


class DiaryRow(NamedTuple):
    """A diary as a slot answer needs it. The names are those of the model's fields; unknown texts are ""."""

    id: UUID
    name: str
    active: bool = True
    practitioner_prefix: str = ""
    practitioner_given: str = ""
    practitioner_family: str = ""
    practitioner_gender: str = ""
    practitioner_role_code: str = ""
    practitioner_role: str = ""
    location_name: str = ""


class OfferedSlots(NamedTuple):
    """`entries`: that many Bundle entries as JSON, with commas between them; `diaries`: those they are of."""

    service: ServingService
    total: int
    entries: str
    diaries: list[DiaryRow]
