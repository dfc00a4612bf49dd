"""Services: how they are reached, who may use them, what they say of themselves, and their catalogues."""

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Left

from bars_portal.accounts.models import Organisation, User
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.nhsuk.dates import format_short
from directory.models.functions import Compact, Folded, Place


class Source(models.TextChoices):
    LOCAL = "local", "Entered here"
    ROUTES = "routes", "Proxy catalogue (JSON)"
    CSV = "csv", "List of local services (CSV)"
    API = "api", "Endpoint Catalogue API"


class Postcode(models.Model):
    """A row of the ONS Postcode Directory: enough to tell a distance."""

    # Without blanks, in capitals: LS14AP. Its primary key brings the index that serves searches by prefix.
    code = models.CharField(max_length=8, primary_key=True)
    latitude = models.FloatField()
    longitude = models.FloatField()

    def __str__(self) -> str:
        return self.code


# So many letters of a name decide where it is in a list.
SORTED_BY = 200
service_id_validator = RegexValidator(r"^[0-9]{1,20}$", "Use digits only.")


class ServiceType(models.TextChoices):
    EMERGENCY_DEPARTMENT = "ed", "Emergency department"
    URGENT_TREATMENT_CENTRE = "utc", "Urgent treatment centre"
    CLINICAL_ASSESSMENT = "cas", "Clinical assessment service"
    PHARMACY = "pharmacy", "Pharmacy"
    AMBULANCE = "ambulance", "Ambulance control"
    HUB = "hub", "Hub"
    OTHER = "other", "Other service"


class HealthcareService(models.Model):
    """A service by its DoS service id (FHIR HealthcareService). Hosted: our own receiver answers for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service_id = models.CharField(
        "DoS service id", max_length=20, unique=True, validators=[service_id_validator]
    )
    name = models.CharField(max_length=200)
    # The database keeps it: whoever writes the name, the search finds it.
    folded_name = models.GeneratedField(
        expression=Folded("name"), output_field=models.TextField(), db_persist=True
    )
    service_type = models.CharField("type", max_length=10, choices=ServiceType.choices)
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="services")
    hosted = models.BooleanField("hosted here", default=False)
    active = models.BooleanField(default=True)
    address_lines = models.JSONField(default=list, blank=True)
    # As people write it: LS1 4AP.
    postcode = models.CharField(max_length=10, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    # Use-case codes (usecases-categories-bars).
    accepted_use_cases = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    takes_bookings = models.BooleanField(default=True)
    takes_referrals = models.BooleanField(default=False)
    requires_booking = models.BooleanField(default=False)
    # Takes no referrals until then, and why; the end comes by itself.
    paused_until = models.DateTimeField("takes no referrals until", null=True, blank=True, editable=False)
    pause_reason = models.CharField(
        "why it takes none now", max_length=200, blank=True, default="", db_default="", editable=False
    )
    # ODS codes that may call; empty: anyone.
    allowed_callers = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    # Its access rules in force, kept here by triggers: no message pays for a look at their rows.
    access_rules = models.JSONField(default=list, db_default=[], editable=False)
    # {"mon": [["08:00", "20:00"]], ...}; empty: not known.
    opening_hours = models.JSONField(default=dict, blank=True)
    # [["10:00", "16:00"]] on every bank holiday; None: not known, []: closed.
    bank_holiday_hours = models.JSONField(null=True, blank=True)
    # Who may send patients here, in the directory's words; empty: anyone.
    referral_roles = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    # How far its patients may live; None: no limit is known.
    catchment_miles = models.FloatField(
        "catchment in miles", null=True, blank=True, validators=[MinValueValidator(0)]
    )
    last_success_at = models.DateTimeField("last successful contact", null=True, blank=True, editable=False)
    # When the first of the failures came that nothing but failures followed.
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Which catalogue it came from, and its id there (FHIR HealthcareService.id).
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.LOCAL, editable=False)
    catalogue_id = models.UUIDField(null=True, blank=True, editable=False, unique=True)
    # Triggers keep these three: the words of its name and its provider's, the place of its postcode.
    words = SearchVectorField(null=True, editable=False)
    latitude = models.FloatField(null=True, editable=False)
    longitude = models.FloatField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        indexes = [
            # The order of staff lists, also of those of what belongs to a service.
            models.Index(fields=["name", "-id"], name="service_list"),
            models.Index(fields=["postcode"], name="service_postcode", opclasses=["varchar_pattern_ops"]),
            # Folding makes some letters into whole phrases, too long for an index.
            models.Index(Left("folded_name", SORTED_BY), "service_id", name="service_by_name"),
            models.Index(Compact("postcode"), name="service_compact_postcode"),
            GinIndex(fields=["words"], name="service_words"),
            GistIndex(Place("longitude", "latitude"), name="service_place"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(requires_booking=False) | models.Q(takes_bookings=True),
                name="service_requires_what_it_takes",
                violation_error_message="A service that requires a booking must take bookings.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.service_id})"

    @property
    def organisation_id(self) -> int:
        """On whose trail it is."""
        return self.provider_id


class OfService:
    """What belongs to one service."""

    # A foreign key of each class.
    service: Any

    @property
    def organisation_id(self) -> int:
        """On whose trail it is."""
        provider: int = self.service.organisation_id
        return provider


class EndpointStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    OFF = "off", "Off"


class Endpoint(OfService, models.Model):
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
        indexes = [models.Index(fields=["name", "-id"], name="endpoint_list")]
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
