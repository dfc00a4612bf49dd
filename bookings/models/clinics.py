"""Clinics with the runs that changed their diaries, blocks, calls, feeds, and where times are short."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation, User
from bars_portal.patients.models import Journey
from bookings.models.booking import Booking
from bookings.models.diary import Schedule
from bookings.models.plan import Plan
from directory.models import HealthcareService, OfService

REASON_LENGTH = 200


class Clinic(OfService, models.Model):
    """A plan, and the diaries that follow it, one a lane. Slots are made to the end of `filled_until`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="clinics")
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    # As `Plan.as_json` writes it.
    plan = models.JSONField()
    filled_until = models.DateField(null=True)
    # Times to come of the plan without a slot: one that is there runs into them. Looked at once an hour.
    left_out = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["service__name", "name"]

    def __str__(self) -> str:
        return f"{self.service.name}: {self.name}"

    @property
    def planned(self) -> Plan:
        return Plan.from_json(self.plan)


class ClinicRun(models.Model):
    """One time that a plan was applied: from which day, what became of the slots, and what was before it."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="runs")
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    from_day = models.DateField()
    # None: the clinic began with it.
    before = models.JSONField(null=True)
    after = models.JSONField()
    made = models.PositiveIntegerField()
    withdrawn = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()
    clashes = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.clinic}: {self.at:%Y-%m-%d %H:%M} UTC"


class DiaryBlock(models.Model):
    """A stretch of a diary in which nothing is offered, also of slots that are made later; never changed.

    What frees a part of it ends it, and writes what is left anew.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="blocks")
    start = models.DateTimeField()
    end = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["start"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="block_ends_after_start"
            )
        ]
        indexes = [
            models.Index(fields=["schedule", "start"], condition=models.Q(ended_at=None), name="block_stands")
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} UTC"


class SenderCall(models.Model):
    """Somebody has to phone: the standard has no message from a service to who booked.

    Closed by a person, once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="calls")
    # What to tell, in words without a patient: "Moved from ... to ...".
    message = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # Whom they spoke to.
    spoke_to = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["made_at"]
        indexes = [models.Index(fields=["made_at"], condition=models.Q(closed_at=None), name="call_waits")]

    def __str__(self) -> str:
        return f"call about {self.booking_id}"


class DiaryFeed(models.Model):
    """A secret address from which a calendar reads a service's diary. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"feed of {self.service.name}"


class CapacityAlarm(models.Model):
    """Raised while a service has fewer than `least` free slots in its next hours; ends by itself."""

    service = models.OneToOneField(HealthcareService, on_delete=models.CASCADE, related_name="+")
    least = models.PositiveSmallIntegerField("fewer free slots than")
    hours = models.PositiveSmallIntegerField("in the next hours")
    set_at = models.DateTimeField()
    raised_at = models.DateTimeField(null=True)
    # When managers were told by mail of what stands now.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(least__gte=1) & models.Q(hours__gte=1), name="capacity_alarm_can_be_raised"
            )
        ]

    def __str__(self) -> str:
        return f"fewer than {self.least} free in {self.hours} h at {self.service_id}"


class Closing(models.TextChoices):
    """Why somebody took an entry off a waiting list; what a later search found says so itself."""

    OFFERED = "offered", "I phoned and a time was agreed"
    ELSEWHERE = "elsewhere", "The patient is seen or booked elsewhere"
    NOT_NEEDED = "not-needed", "No appointment is needed any more"
    NOT_REACHED = "not-reached", "Nobody could be reached"
    FOUND = "found", "A later search found times"


class WaitingEntry(models.Model):
    """Somebody here wanted a time of a service that we host, and there was none: on its list for that day.

    Of a case, or of a search in which no patient was named: then `journey` is None. Whether they have been
    booked since is read, never kept (`bookings.selectors.clinics`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="+")
    # Who wanted it, and for which organisation; `label` names them as the audit trail does.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=200)
    journey = models.ForeignKey(Journey, null=True, on_delete=models.PROTECT, related_name="+")
    # The booking that the service refused since its slot was gone, if it came to that.
    booking = models.ForeignKey(Booking, null=True, on_delete=models.PROTECT, related_name="+")
    # Starts of the times that would have done; both included.
    wanted_from = models.DateTimeField()
    wanted_until = models.DateTimeField()
    refused_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    closed_as = models.CharField(max_length=12, choices=Closing.choices, blank=True)

    class Meta:
        ordering = ["refused_at"]
        verbose_name, verbose_name_plural = "waiting list entry", "waiting list entries"
        constraints = [
            # Who looks again waits once.
            models.UniqueConstraint(
                fields=["service", "journey"],
                condition=models.Q(closed_at=None, journey__isnull=False),
                name="waiting_case_once",
            ),
            models.UniqueConstraint(
                fields=["service", "user", "organisation"],
                condition=models.Q(closed_at=None, journey=None),
                name="waiting_search_once",
            ),
            models.CheckConstraint(
                condition=models.Q(wanted_until__gte=models.F("wanted_from")), name="waiting_wants_some_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["service", "refused_at"], condition=models.Q(closed_at=None), name="waiting_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name}, {self.label}"
