"""Webhooks of applications: where events are posted, each delivery, and every attempt at it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bars_portal.api.models.applications import Application
from bars_portal.api.models.events import Event
from bars_portal.nhsuk.dates import format_short


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
