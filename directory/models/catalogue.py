"""Catalogues that were read, and what each of them changed: who changed what, and from which file."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation, User
from directory.models.service import HealthcareService, Source


class ImportState(models.TextChoices):
    PREVIEWED = "previewed", "Previewed"
    APPLIED = "applied", "Applied"


class CatalogueImport(models.Model):
    """One catalogue. Previewed: nothing of it is in the directory yet, and its file is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    # A file's name, or the address of a catalogue.
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.PREVIEWED)
    content = models.BinaryField(default=bytes)
    # Whose services it may speak of; None: those that nobody here hosts (`Reach`).
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    # Whom new services belong to that name nobody.
    provider = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    actor_user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-read_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class ChangeKind(models.TextChoices):
    ADDED = "added", "Added"
    CHANGED = "changed", "Changed"
    REMOVED = "removed", "Made inactive"


class CatalogueChange(models.Model):
    """What one applied catalogue did to one service, its endpoints included; never changed afterwards."""

    catalogue = models.ForeignKey(CatalogueImport, on_delete=models.PROTECT, related_name="changes")
    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="catalogue_changes")
    kind = models.CharField(max_length=10, choices=ChangeKind.choices)
    # {"name": ["before", "after"], "endpoint 1 address": [...]}
    fields = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.service_id}"
