"""What we send: finished bytes and ids, written in the caller's transaction, sent outside any."""

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
            # The message log reads it alone, whatever it is filtered by.
            models.Index(
                fields=["organisation", "created_at", "id"],
                include=["correlation_id", "service_id", "message_type", "state", "reason"],
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

    def __str__(self) -> str:
        return f"attempt {self.number}"


class Resending(models.Model):
    """Somebody asks that a message that was given up, as it stood at `settled_at`, is sent as a new one.

    Where `needs_second` somebody else has to agree before that: a constraint sees to it. Withdrawn ones stay.
    """

    message = models.ForeignKey(OutboundMessage, on_delete=models.PROTECT, related_name="resendings")
    settled_at = models.DateTimeField()
    # What the person typed; it names no patient, as they are asked.
    note = models.CharField(max_length=300)
    needs_second = models.BooleanField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    asked_label = models.CharField(max_length=200)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey("accounts.User", null=True, on_delete=models.PROTECT, related_name="+")
    agreed_label = models.CharField(max_length=200, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    new_message = models.OneToOneField(
        OutboundMessage, null=True, on_delete=models.PROTECT, related_name="in_place_of"
    )

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "settled_at"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="resending_once",
            ),
            models.CheckConstraint(
                condition=models.Q(needs_second=False) | ~models.Q(agreed_by=models.F("asked_by")),
                name="resending_by_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_at__isnull=True, new_message__isnull=True)
                | models.Q(agreed_at__isnull=False, new_message__isnull=False, withdrawn_at__isnull=True),
                name="resending_sent_once_agreed",
            ),
        ]

    def __str__(self) -> str:
        return f"resending of {self.message_id}"


class Decision(models.TextChoices):
    SET_ASIDE = "set-aside", "Set aside"
    SETTLED = "settled", "Settled with the service"


class DeadLetterDecision(models.Model):
    """A person has dealt with a message that was not delivered, as it stood at `settled_at`.

    One that goes out again and comes to nothing again is a dead letter again. Taking it back deletes the row;
    the trail keeps both.
    """

    message = models.ForeignKey(OutboundMessage, on_delete=models.PROTECT, related_name="decisions")
    settled_at = models.DateTimeField()
    decision = models.CharField(max_length=12, choices=Decision.choices)
    # What the person typed; it names no patient, as they are asked.
    note = models.CharField(max_length=300)
    decided_at = models.DateTimeField()
    actor_user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200)

    class Meta:
        ordering = ["-decided_at"]
        constraints = [
            models.UniqueConstraint(fields=["message", "settled_at"], name="dead_letter_decided_once")
        ]

    def __str__(self) -> str:
        return f"{self.decision} {self.message_id}"
