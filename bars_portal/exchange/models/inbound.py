"""What reached the receiver: the bytes are the record, the columns an index."""

import uuid

from django.db import models


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
        indexes = [models.Index(fields=["correlation_id", "received_at"], name="inbound_correlation")]

    # True for a message whose Bundle.id may not come again (reason `new`, standard section 5).
    starts_conversation = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.message_type or 'message'} {self.request_id or self.pk}"
