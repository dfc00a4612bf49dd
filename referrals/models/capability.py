"""What a receiving service says that it takes, kept for a while."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from directory.models import HealthcareService


class ServiceCapability(models.Model):
    """The use cases of a service's MessageDefinitions as they were last read.

    Kept in the database, so that "ask again" holds for every process.
    """

    service = models.OneToOneField(HealthcareService, on_delete=models.CASCADE, related_name="+")
    # None: it could not be read, or named no use case.
    use_cases = ArrayField(models.CharField(max_length=20), null=True)
    read_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "service capabilities"

    def __str__(self) -> str:
        return f"capability of {self.service_id}"
