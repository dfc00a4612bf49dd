"""Who was shown what a message says of its patient, why, and until when."""

import uuid

from django.db import models

from bars_portal.exchange.models.inbound import InboundMessage
from bars_portal.exchange.models.outbound import OutboundMessage


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
