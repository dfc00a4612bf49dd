"""What happened, in order, for applications that follow it: thin rows, written with the change itself."""

import uuid
from typing import Any, NoReturn

from django.db import models

from bars_portal.accounts.models import Organisation


class Event(models.Model):
    """One thing that happened to a booking or a case of one organisation: ids, type, time and service.

    Ids are given in one order and seen in another, as transactions end. So `position`, by which readers go
    on, comes after the commit (bars_portal.api.events.stream); nothing else ever changes.
    """

    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    # From 1 for each organisation, without gaps; null for some moments.
    position = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    type = models.CharField(max_length=50)
    subject_id = models.UUIDField()
    direction = models.CharField(max_length=8)
    status = models.CharField(max_length=20)
    service_id = models.CharField(max_length=20)
    journey_id = models.UUIDField()
    # The permission that whoever reads the subject itself must have.
    needs = models.CharField(max_length=60)

    class Meta:
        ordering = ["organisation", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "position"],
                condition=models.Q(position__isnull=False),
                name="api_event_position_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(position__isnull=True), name="api_event_to_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.position or 'not numbered'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("Events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("An event goes with all of its time only.")


class EventStream(models.Model):
    """How far an organisation's events go, also when none of them is left."""

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    last = models.BigIntegerField(default=0)
    # Up to here events are no longer kept.
    forgotten = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.forgotten} to {self.last}"
