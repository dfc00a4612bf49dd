"""What a receiving service says that it takes, kept for a while, and what it said otherwise before."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.nhsuk.dates import format_short
from directory.models.service import HealthcareService


class ServiceCapability(models.Model):
    """A service's CapabilityStatement and the use cases of its MessageDefinitions, as they were last read.

    Kept in the database, so that "ask again" holds for every process.
    """

    service = models.OneToOneField(HealthcareService, on_delete=models.CASCADE, related_name="+")
    # Of requests, and of bookings. None: it could not be read, or named no use case.
    use_cases = ArrayField(models.CharField(max_length=20), null=True)
    booking_use_cases = ArrayField(models.CharField(max_length=20), null=True)
    # CapabilityStatement.version (of the standard), and the highest that both sides know: "" when not told,
    # or when there is none.
    version = models.CharField("version of the standard", max_length=20, blank=True)
    agreed_version = models.CharField(max_length=20, blank=True, default=STANDARD_VERSION)
    # MessageDefinitions that its CapabilityStatement lists; None: it lists none, or was not read.
    definitions = ArrayField(models.CharField(max_length=200), null=True)
    read_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "service capabilities"

    def __str__(self) -> str:
        return f"What {self.service.name} says of itself"


class CapabilityChange(models.Model):
    """A service said something else than the last time. `stated`, `added`, `removed`: {aspect: codes}.

    The first row of a service has nothing added or removed: nothing was known to compare with.
    """

    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="+")
    noticed_at = models.DateTimeField()
    stated = models.JSONField(default=dict)
    added = models.JSONField(default=dict)
    removed = models.JSONField(default=dict)

    class Meta:
        ordering = ["-noticed_at", "-id"]
        indexes = [models.Index(fields=["service", "-noticed_at"], name="capability_change_latest")]

    def __str__(self) -> str:
        return f"Change noticed {format_short(self.noticed_at)}"
