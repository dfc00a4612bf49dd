"""Applications and what they are allowed, what happened for them to follow, and where it is posted."""

import uuid
from datetime import datetime
from typing import Any, NoReturn

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.accounts.models import Organisation, User
from bars_portal.nhsuk.dates import format_short

USUAL_RATE = 600


class Application(models.Model):
    """A program of one organisation that calls the API.

    `account` stands for it wherever a person would be named: drafts, histories, messages and the trail.
    Nobody can sign in with it. Its username is the client id.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="applications")
    account = models.OneToOneField(User, on_delete=models.PROTECT, related_name="application", editable=False)
    name = models.CharField(max_length=100)
    # bars_portal.api.operations.Scope, by value.
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    # DoS service ids that it may search, book at and work for; empty: all that the organisation may.
    service_ids = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    # Roles that it may state in X-Acting-User; empty: it never speaks for a person.
    roles = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    requests_a_minute = models.PositiveIntegerField(
        default=USUAL_RATE, validators=[MinValueValidator(1), MaxValueValidator(60_000)]
    )
    # Who answers for it.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # For private_key_jwt: a JWK set, of public keys only.
    public_keys = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    # To the minute: not every request writes it.
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                name="application_name_once",
                violation_error_message="The organisation has an application of this name.",
            ),
        ]
        # The order of the list, and of its deepest page.
        indexes = [models.Index(fields=["name", "-id"], name="application_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def client_id(self) -> str:
        return self.account.username

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may_act_for(self, service_id: str) -> bool:
        return not self.service_ids or service_id in self.service_ids


class ApplicationSecret(models.Model):
    """One of at most two at a time, so that a new one can be rolled out while the old one still counts."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="secrets")
    # SHA-256: a secret is 256 random bits, nothing that could be guessed from a list.
    digest = models.CharField(max_length=64, unique=True)
    # Its last characters, by which people tell it from the other one.
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"secret ending in {self.hint}"


class ApiToken(models.Model):
    """An access token: the caller holds it, the database only its digest."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token of {self.application_id}"


class SpentAssertion(models.Model):
    """The jti of a signed assertion that was taken once: kept until it would be too old anyway."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "digest"], name="assertion_once")]

    def __str__(self) -> str:
        return f"assertion of {self.application_id}"


class ApplicationUsage(models.Model):
    """How many requests of a London day were answered within so many milliseconds (bars_portal.api.usage)."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    milliseconds = models.PositiveIntegerField()
    requests = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "day", "milliseconds"], name="usage_counted_once")
        ]
        indexes = [models.Index(fields=["day"], name="usage_by_day")]

    def __str__(self) -> str:
        return f"{self.requests} requests of {self.application_id} on {self.day}"


class KeyedRequest(models.Model):
    """A write under its Idempotency-Key, and its answer, for a day.

    It is under way while `lease_until` is ahead; carried out once `written_at` is set, which commits with
    what it wrote; answered once `answered_at` is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # SHA-256 of verb, path, for whom, and body.
    fingerprint = models.CharField(max_length=64)
    begun_at = models.DateTimeField(db_index=True)
    holder = models.UUIDField()
    lease_until = models.DateTimeField()
    written_at = models.DateTimeField(null=True)
    # The id of what was written: from it the answer is made again when it was lost.
    subject_id = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # Encrypted: an answer may name a patient.
    sealed = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"request of {self.application_id}"


class Event(models.Model):
    """One thing that happened to a booking or a case of one organisation: ids, type, time and service.

    Ids are given in one order and seen in another, as transactions end. So `position`, by which readers go
    on, comes after the commit (bars_portal.api.events); nothing else ever changes.
    """

    # The webhook-id, by which people search for deliveries.
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
            models.Index(fields=["uid"], name="api_event_uid"),
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


class OffReason(models.TextChoices):
    OWNER = "owner", "Switched off by its owner"
    FAILING = "failing", "It took nothing for days"
    GONE = "gone", "It answered that it is gone (410)"


class DeliveryState(models.TextChoices):
    PENDING = "pending", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class Webhook(models.Model):
    """One address of an application, and which events go there.

    It rests after a failure, so that one that is down is asked seldom, whatever waits for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField("address", max_length=500)
    # Empty: all that the application may see.
    types = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    service_ids = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    created_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True)
    off_reason = models.CharField(max_length=10, choices=OffReason.choices, blank=True)
    # When its owner was written to because it is off.
    told_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    # Deliveries were made of the organisation's events up to here.
    dealt = models.BigIntegerField(default=0)
    # Attempts without a success since.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    resting_until = models.DateTimeField(null=True)
    # Encrypted (bars_portal.sealing): signing needs them in clear. The one before counts for a while longer.
    sealed_secret = models.BinaryField()
    sealed_before = models.BinaryField(null=True)
    before_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        # Those that home counts are few.
        indexes = [
            models.Index(
                fields=["application"],
                condition=models.Q(off_at__isnull=False, removed_at=None),
                name="webhook_off",
            )
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def organisation_id(self) -> int:
        """On whose trail it is."""
        return self.application.organisation_id

    @property
    def is_on(self) -> bool:
        return self.off_at is None and self.removed_at is None


class WebhookDelivery(models.Model):
    """One event for one webhook, or a test: sent until it is taken, under the same id, with the same body."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    # None: a test.
    event = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    # While it is being sent: when somebody else may.
    next_attempt_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="webhook_event_once"),
            models.CheckConstraint(
                condition=models.Q(state=DeliveryState.PENDING) ^ models.Q(next_attempt_at__isnull=True),
                name="webhook_delivery_waits_or_is_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["webhook", "next_attempt_at", "event"],
                condition=models.Q(state=DeliveryState.PENDING),
                name="webhook_due",
            ),
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhook_log"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"Delivery of {format_short(self.created_at)}"

    @property
    def message_id(self) -> uuid.UUID:
        """The webhook-id: of the event, whichever webhook it comes by, so that a receiver knows it again."""
        return self.id if self.event is None else self.event.uid


class WebhookAttempt(models.Model):
    """One attempt, as its owner may read it: neither body nor header, of the answer only its status."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    # HTTP status; null when there was no answer.
    status = models.PositiveSmallIntegerField(null=True)
    # Why not, in a word (bars_portal.http); "" for an answer.
    problem = models.CharField(max_length=12, blank=True)
    elapsed_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.status or self.problem)
