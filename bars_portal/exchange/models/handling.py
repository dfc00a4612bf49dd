"""What people do about messages: send one anew, settle it, or see what it says of its patient, and why."""

import uuid

from django.db import models

from bars_portal.exchange.models.messages import InboundMessage, OutboundMessage


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


class Unmasking(models.Model):
    """For one person and one message, sent or received. Only `until` ever changes: it may be ended sooner."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Whose message it is.
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    user_label = models.CharField(max_length=200)
    outbound = models.ForeignKey(OutboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    inbound = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outbound__isnull=False, inbound__isnull=True)
                | models.Q(outbound__isnull=True, inbound__isnull=False),
                name="unmasking_of_one_message",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="unmasking_has_reason"),
        ]
        indexes = [
            models.Index(fields=["organisation", "-at"], name="unmasking_report"),
            models.Index(fields=["user", "until"], name="unmasking_lasting"),
        ]

    def __str__(self) -> str:
        return f"unmasking {self.pk}"

    @property
    def message(self) -> OutboundMessage | InboundMessage:
        found = self.outbound or self.inbound
        if found is None:
            raise ValueError("An unmasking is of one message.")
        return found
