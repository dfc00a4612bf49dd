"""The messages themselves: what we send, and what reached the receiver.

Of both the bytes are the record, and the columns an index. What we send are finished bytes and ids, written
in the caller's transaction and sent outside any.
"""

import uuid

from django.db import models

from bars_portal.nhsuk.dates import format_short


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    UNKNOWN = "unknown", "Not known"
    ABANDONED = "abandoned", "Given up"


# The reason of an abandoned message that nobody wants sent any more.
OBSOLETE = "obsolete"
# Ends the reason of what was refused at last, though an earlier attempt may have arrived: nobody could read.
NOT_READ = "/not-read"
# The reason of one that was given up, and that the other side turned out to have.
LATE = "late/applied"
# The reason of one whose deadline came before it was ever sent: people were told that it did not go out.
NEVER_SENT = "deadline/never-sent"
_OVER = (OBSOLETE, NEVER_SENT)
# What may need a person: the dead letters are among them.
TROUBLED = (DeliveryState.UNKNOWN, DeliveryState.REFUSED, DeliveryState.ABANDONED)
# Nobody knows whether it arrived; whether it is still tried or was given up, a person may send it again.
GIVEN_UP = models.Q(state=DeliveryState.ABANDONED) & ~models.Q(reason__in=_OVER)
UNCLEAR = models.Q(state=DeliveryState.UNKNOWN) | GIVEN_UP


class OutboundMessage(models.Model):
    """One message to one service. Every attempt sends the very same bytes and ids."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message_type = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    actor_user = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200)
    request_id = models.UUIDField(unique=True, default=uuid.uuid4)
    correlation_id = models.UUIDField()
    bundle_id = models.UUIDField()
    service_id = models.CharField(max_length=20)
    headers = models.JSONField()
    body = models.BinaryField()
    state = models.CharField(max_length=12, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    # Why the state is what it is: a machine word such as "timeout" or "REC_CONFLICT/conflict".
    reason = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_index=True)
    sending_since = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    # How often it went out again by itself, since a person last sent it.
    repeats = models.PositiveSmallIntegerField(default=0)
    # Only while it is unknown: when it goes out again by itself.
    next_attempt_at = models.DateTimeField(null=True)
    # Only while it is being sent: renewed by the worker that sends it. Past: that worker is gone.
    lease_until = models.DateTimeField(null=True)
    # When people are told that it is given up, unless its fate is known by then.
    abandon_at = models.DateTimeField(null=True)
    # Only once it is abandoned: when the receiver is next asked whether it has it after all.
    read_back_at = models.DateTimeField(null=True)
    # The resource that it is about (MessageHeader.focus), where its id is a UUID.
    focus_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "created_at"], name="outbound_subject"),
            models.Index(fields=["correlation_id", "created_at"], name="outbound_correlation"),
            models.Index(
                fields=["created_at"],
                name="outbound_open",
                condition=models.Q(state__in=[DeliveryState.QUEUED, DeliveryState.SENDING]),
            ),
            models.Index(
                fields=["next_attempt_at"],
                name="outbound_due",
                condition=models.Q(state=DeliveryState.UNKNOWN),
            ),
            models.Index(
                fields=["service_id", "created_at"],
                name="outbound_waiting",
                condition=models.Q(state__in=[DeliveryState.QUEUED, DeliveryState.UNKNOWN]),
            ),
            models.Index(
                fields=["lease_until"],
                name="outbound_lease",
                condition=models.Q(state=DeliveryState.SENDING),
            ),
            models.Index(
                fields=["abandon_at"],
                name="outbound_deadline",
                condition=models.Q(state__in=[DeliveryState.QUEUED, DeliveryState.UNKNOWN]),
            ),
            models.Index(
                fields=["read_back_at"],
                name="outbound_read_back",
                condition=models.Q(state=DeliveryState.ABANDONED, read_back_at__isnull=False),
            ),
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_late",
                condition=models.Q(reason=LATE),
            ),
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_troubled",
                condition=models.Q(state__in=TROUBLED),
            ),
            # What was given up waits for a person however old it is: found without all else that failed.
            models.Index(fields=["organisation", "settled_at"], name="outbound_given_up", condition=GIVEN_UP),
            # What was never sent waits too, for some days: dead letters are what either index holds.
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_never_sent",
                condition=models.Q(state=DeliveryState.ABANDONED, reason=NEVER_SENT),
            ),
            # The message log and reports read it alone, whatever they are filtered by.
            models.Index(
                fields=["organisation", "created_at", "id"],
                include=["correlation_id", "service_id", "message_type", "state", "reason", "settled_at"],
                name="outbound_log",
            ),
            models.Index(fields=["organisation", "service_id", "created_at"], name="outbound_partner"),
            models.Index(fields=["bundle_id"], name="outbound_bundle"),
            models.Index(
                fields=["focus_id"], name="outbound_focus", condition=models.Q(focus_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_type} made {format_short(self.created_at)}"

    @property
    def is_unclear(self) -> bool:
        """UNCLEAR, of a row that was read."""
        given_up = self.state == DeliveryState.ABANDONED and self.reason not in _OVER
        return self.state == DeliveryState.UNKNOWN or given_up

    @property
    def is_refused_unread(self) -> bool:
        """Refused at last, though an attempt before it may have arrived, and nobody could read whether."""
        return self.is_unclear and self.reason.endswith(NOT_READ)


class DeliveryAttempt(models.Model):
    """One call to the proxy, and everything that came back."""

    message = models.ForeignKey(OutboundMessage, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=80, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    elapsed_ms = models.PositiveIntegerField(null=True)
    reply_headers = models.JSONField(default=dict)
    reply = models.BinaryField(null=True)

    class Meta:
        ordering = ["message_id", "number"]
        constraints = [models.UniqueConstraint(fields=["message", "number"], name="attempt_number_once")]
        # Reports read it alone: an attempt carries its whole answer.
        indexes = [
            models.Index(
                fields=["message"], include=["elapsed_ms", "outcome", "status_code"], name="attempt_reported"
            )
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"


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
            # The message log and reports read it alone, whatever they are filtered by.
            models.Index(
                fields=["service_id", "received_at", "id"],
                include=[
                    *("correlation_id", "source_service_id", "message_type", "state"),
                    *("sender_ods_code", "status_code", "completed_at"),
                ],
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
