"""Rules about who may use a service of ours, beyond the list of its callers."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from directory.models.service import HealthcareService, OfService


class AccessRule(OfService, models.Model):
    """Lets in the requests that satisfy all that it asks; as long as one is in force, others get in by none.

    Its copy in HealthcareService.access_rules is kept by triggers.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=100)
    # ODS codes; empty: any. So are the others.
    organisations = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    # SNOMED codes of the practitioner's role.
    roles = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    software = models.CharField(max_length=100, blank=True)
    version_from = models.CharField("version from", max_length=40, blank=True)
    version_to = models.CharField("version up to", max_length=40, blank=True)
    in_force = models.BooleanField("in force", default=False)

    class Meta:
        ordering = ["service", "name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="access_rule_name_once"),
            models.CheckConstraint(
                condition=~models.Q(organisations=[], roles=[], software=""),
                name="access_rule_asks_something",
                violation_error_message="Say which organisations, roles or software may use the service.",
            ),
            models.CheckConstraint(
                condition=~models.Q(software="") | models.Q(version_from="", version_to=""),
                name="access_rule_version_of_software",
                violation_error_message="Name the software that the versions are of.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.service.service_id})"
