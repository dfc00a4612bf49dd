"""Our own diaries, as the receiver offers them: patterns, slots, and how both are told apart on the wire."""

import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.exchange.fhir.timestamps import LONDON
from bars_portal.patients.models import Gender
from directory.models import HealthcareService
from directory.ports import ServingService


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


MIDNIGHT = time(0)


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
            )
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

    No two of a diary overlap: a trigger refuses that as the constraint `slot_overlaps_none`.
    """

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
                condition=models.Q(end__gt=models.F("start")),
                name="slot_ends_after_start",
                violation_error_message="A slot must end after it starts.",
            ),
        ]
        indexes = [models.Index(fields=["service", "status", "start"], name="slot_search")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} UTC"


# Start and end, aware.
Period = tuple[datetime, datetime]


def slot_times(schedule: Schedule, *, first_day: date, days: int) -> Iterator[Period]:
    """(start, end) in UTC of every slot on `days` days from `first_day`; a slot lasts exactly its minutes.

    Slots start at their wall time. A start that the clock skips in spring is left out, or one within the slot
    before it. The hour that comes twice in autumn is offered once, the first time round.
    """
    for offset in range(days):
        day = first_day + timedelta(days=offset)
        if day.weekday() in schedule.weekdays:
            yield from _day(schedule, day)


def _day(schedule: Schedule, day: date) -> Iterator[Period]:
    length = timedelta(minutes=schedule.slot_minutes)
    wall = datetime.combine(day, schedule.day_start)
    close = datetime.combine(day, schedule.day_end) + timedelta(days=schedule.day_end == MIDNIGHT)
    free_from = datetime.min.replace(tzinfo=UTC)
    while wall + length <= close:
        start = wall.replace(tzinfo=LONDON).astimezone(UTC)
        if start >= free_from and start.astimezone(LONDON).replace(tzinfo=None) == wall:
            free_from = start + length
            yield start, free_from
        wall += length


def times_between(there: Sequence[Period], times: Iterable[Period]) -> list[Period]:
    """Those of `times` that overlap nothing in `there`; both in order of time and without overlaps."""
    found: list[Period] = []
    later = deque(there)
    for start, end in times:
        while later and later[0][1] <= start:
            later.popleft()
        if not later or end <= later[0][0]:
            found.append((start, end))
    return found


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
# SQL over a row `slot` of bookings_slot, with one %s, the present moment: whether it may be booked now.
BOOKABLE = f"""slot.status = 'free' AND slot."end" > %s AND EXISTS (
    SELECT FROM bookings_schedule AS diary
    JOIN directory_healthcareservice AS place ON place.id = diary.service_id
    WHERE diary.id = slot.schedule_id AND {DIARY_IN_USE}
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
