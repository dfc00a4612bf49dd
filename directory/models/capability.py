"""What a receiving service says that it takes, kept for a while."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from directory.models.service import HealthcareService


class ServiceCapability(models.Model):
    """A service's CapabilityStatement and the use cases of its MessageDefinitions, as they were last read.

    Kept in the database, so that "ask again" holds for every process.
    """

    service = models.OneToOneField(HealthcareService, on_delete=models.CASCADE, related_name="+")
    # None: it could not be read, or named no use case.
    use_cases = ArrayField(models.CharField(max_length=20), null=True)
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
        return f"capability of {self.service_id}"
