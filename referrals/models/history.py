"""The immutable history of a case: every step, every version of its ServiceRequest."""

from typing import Any, NoReturn

from django.db import models

from bars_portal.accounts.models import User
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.models.fields import ResourceDecoder, ResourceEncoder
from referrals.models.case import Case, Referral, ValidationCase

_ONE_OWNER = models.Q(referral__isnull=True) ^ models.Q(validation__isnull=True)


class OfOneCase(models.Model):
    """A row about one referral or one validation request."""

    referral = models.ForeignKey(Referral, null=True, on_delete=models.PROTECT, related_name="%(class)s_rows")
    validation = models.ForeignKey(
        ValidationCase, null=True, on_delete=models.PROTECT, related_name="%(class)s_rows"
    )

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=_ONE_OWNER, name="%(class)s_of_one_case")]

    @property
    def case(self) -> Case:
        owner = self.referral or self.validation
        if owner is None:
            raise TypeError("A record belongs to a case.")
        return owner


class CaseRecord(OfOneCase):
    """The same, and never changed, never deleted."""

    class Meta(OfOneCase.Meta):
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A case's history is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A case's history is never deleted.")


class CaseStatusChange(CaseRecord):
    """One step: what happened, and what the case was before and after it."""

    event = models.CharField(max_length=30)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    actor_user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(CaseRecord.Meta):
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} -> {self.to_status}"


class CaseVersion(CaseRecord):
    """The ServiceRequest as it stood in one version; the message that brought it holds everything else."""

    number = models.PositiveIntegerField()
    # Bundle.id of the message: replies name it.
    bundle_id = models.CharField(max_length=64, blank=True)
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering = ["number"]
        constraints = [
            *CaseRecord.Meta.constraints,
            models.UniqueConstraint(fields=["referral", "number"], name="referral_version_once"),
            models.UniqueConstraint(fields=["validation", "number"], name="validation_version_once"),
        ]
        indexes = [models.Index(fields=["bundle_id"], name="caseversion_bundle_id")]

    def __str__(self) -> str:
        return f"version {self.number}"


def owned_by(case: Case) -> dict[str, Case]:
    """The keyword that makes a record the case's own."""
    return {"referral" if isinstance(case, Referral) else "validation": case}
