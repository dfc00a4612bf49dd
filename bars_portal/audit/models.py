"""The append-only trail and its seals. The database refuses to change them too (see the migrations)."""

from typing import Any, NoReturn

from django.contrib.postgres.fields import ArrayField
from django.db import models


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit events are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit events are never deleted.")


class AuditEvent(models.Model):
    """One thing that somebody did, saw, or was refused. Holds no patient data: it points at the subject."""

    at = models.DateTimeField(db_index=True)
    actor_user = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=True
    )
    actor_label = models.CharField(max_length=200)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=20, default="done")
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    correlation_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="audit_subject"),
            models.Index(fields=["correlation_id", "at"], name="audit_correlation"),
            # When each person last did something for an organisation; machines write none of its rows.
            models.Index(
                fields=["organisation", "actor_user", "at"],
                name="audit_person",
                condition=models.Q(actor_user__isnull=False),
            ),
            # What the administration filters and searches by: its values, and their newest events.
            models.Index(fields=["action", "-at", "-id"], name="audit_action"),
            models.Index(fields=["actor_label", "-at", "-id"], name="audit_label"),
            # Nearly everything is done.
            models.Index(
                fields=["outcome", "-at", "-id"], name="audit_outcome", condition=~models.Q(outcome="done")
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(actor_label=""), name="audit_actor_required"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit events are never deleted.")


class Seal(models.Model):
    """A block of the chain over the trail: events of one day that were committed, with the hash of each.

    `digests` holds 32 bytes for each of `event_ids`, in their order; `total` counts the chain's events up to
    here. Every event with an id up to `settled` that there will ever be is in this seal or an earlier one.
    """

    number = models.BigIntegerField(primary_key=True)
    version = models.PositiveSmallIntegerField()
    day = models.DateField()
    sealed_at = models.DateTimeField()
    event_ids = ArrayField(models.BigIntegerField())
    digests = models.BinaryField()
    total = models.BigIntegerField()
    settled = models.BigIntegerField()
    # The highest of `event_ids`, or of those before when it has none.
    last_id = models.BigIntegerField(db_index=True)
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"


class SealerNote(models.Model):
    """One row: who was writing to the trail when its ids had been given up to `given_up_to`.

    When all of them have ended, no event with such an id can appear any more.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    given_up_to = models.BigIntegerField()
    # Virtual transaction ids, as pg_locks names them.
    writers = ArrayField(models.TextField())

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_sealer_note_once")]

    def __str__(self) -> str:
        return f"ids up to {self.given_up_to}"


class Pruning(models.Model):
    """What stands for seals that were removed when their time was over: the chain goes on from its hash.

    `days` says how many events of which days went. Signed, for whoever can write here could invent one.
    """

    # Of the last seal that went.
    number = models.BigIntegerField(primary_key=True)
    first_number = models.BigIntegerField()
    total = models.BigIntegerField()
    hash = models.BinaryField()
    days = models.JSONField()
    pruned_at = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    key = models.CharField(max_length=64)
    signature = models.BinaryField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seals up to {self.number} pruned"
