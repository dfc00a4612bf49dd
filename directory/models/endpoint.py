"""How services are reached."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation
from directory.models.service import HealthcareService
from directory.models.sources import Source


class EndpointStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    OFF = "off", "Off"


class Endpoint(models.Model):
    """Where a service's messages go (FHIR Endpoint); the catalogue, not we, routes them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="endpoints")
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=EndpointStatus.choices, default=EndpointStatus.ACTIVE)
    connection_type = models.CharField(max_length=20, default="hl7-fhir-rest")
    payload_type = models.CharField(max_length=20, default="bars")
    # Empty: its owner keeps it private (Endpoint.header).
    address = models.CharField(max_length=300, blank=True)
    private = models.BooleanField(default=False)
    managing_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    # Which catalogue it came from, and its id there (FHIR Endpoint.id).
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.LOCAL, editable=False)
    catalogue_id = models.UUIDField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(period_start__isnull=True)
                | models.Q(period_end__isnull=True)
                | models.Q(period_end__gt=models.F("period_start")),
                name="endpoint_period_in_order",
                violation_error_message="The period must end after it starts.",
            ),
            # Services may share an Endpoint of the catalogue; each has it once.
            models.UniqueConstraint(fields=["service", "catalogue_id"], name="endpoint_once_a_service"),
            models.UniqueConstraint(
                fields=["service", "source"],
                condition=models.Q(source__in=[Source.ROUTES, Source.CSV]),
                name="endpoint_once_a_list",
            ),
        ]

    def __str__(self) -> str:
        return self.name
