"""What reached the receiver: the bytes are the record, the columns an index."""

import uuid

from django.db import models

from bars_portal.nhsuk.dates import format_short


class InboundState(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    # Of earlier versions, which wrote the row first: the worker died before it answered.
    ABANDONED = "abandoned", "Abandoned"


class InboundMessage(models.Model):
    """One `POST /$process-message`: raw bytes, all headers, our stored answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Null in what was refused because they were missing, or no UUIDs.
    request_id = models.UUIDField(null=True)
    correlation_id = models.UUIDField(null=True)
    bundle_id = models.CharField(max_length=64, blank=True)
    message_type = models.CharField(max_length=60, blank=True)
    service_id = models.CharField(max_length=20, blank=True)
    source_service_id = models.CharField(max_length=20, blank=True)
    sender_ods_code = models.CharField("sender's ODS code", max_length=12, blank=True)
    peer = models.CharField(max_length=200)
    headers = models.JSONField()
    body = models.BinaryField()
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=12, choices=InboundState.choices)
    completed_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    reply = models.BinaryField(null=True)
    # What the rules noticed without refusing: [{"rule", "diagnostics", "expression"}].
    warnings = models.JSONField(default=list)

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request_id"],
                condition=models.Q(state=InboundState.ACCEPTED),
                name="inbound_request_id_once",
            ),
            models.UniqueConstraint(
                fields=["bundle_id"],
                condition=models.Q(state=InboundState.ACCEPTED, starts_conversation=True),
                name="inbound_new_bundle_id_once",
            ),
        ]
        indexes = [
            models.Index(fields=["correlation_id", "received_at"], name="inbound_correlation"),
            # The message log reads it alone, whatever it is filtered by.
            models.Index(
                fields=["service_id", "received_at", "id"],
                include=["correlation_id", "source_service_id", "message_type", "state"],
                name="inbound_log",
            ),
            models.Index(fields=["service_id", "source_service_id", "received_at"], name="inbound_partner"),
            models.Index(fields=["request_id"], name="inbound_request"),
            models.Index(fields=["bundle_id"], name="inbound_bundle"),
            models.Index(
                fields=["focus_id"], name="inbound_focus", condition=models.Q(focus_id__isnull=False)
            ),
        ]

    # True for a message whose Bundle.id may not come again (reason `new`, standard section 5).
    starts_conversation = models.BooleanField(default=False)
    # The resource that it is about (MessageHeader.focus), where its id is a UUID.
    focus_id = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.message_type or 'Message'} received {format_short(self.received_at)}"


class SeenCertificate(models.Model):
    """A client certificate that callers presented and that was let in; looked at about once an hour."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=200)
    issuer = models.CharField(max_length=300)
    expires_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint[:12]}"
