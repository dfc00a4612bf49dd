"""What people of a receiving service write down about a case, and tell nobody: written once."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from bars_portal.accounts.models import User
from referrals.cases.models import CaseRecord

# Standard section 9, workflow 5: so often a pharmacy tries to reach a patient.
MOST_ATTEMPTS = 3


class PlaceRecord(CaseRecord):
    """Where we plotted a case; the newest counts. `differences`: from what was sent then, in words."""

    uprn = models.CharField(max_length=12, blank=True)
    # Metres on the national grid.
    eastings = models.CharField(max_length=14, blank=True)
    northings = models.CharField(max_length=14, blank=True)
    differences = models.JSONField(default=list)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"place by {self.author_label}"


class ContactAttempt(CaseRecord):
    """One try to reach the patient of a referral, by telephone."""

    number = models.PositiveSmallIntegerField()
    reached = models.BooleanField()
    text = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            *CaseRecord.Meta.constraints,
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=MOST_ATTEMPTS), name="contact_attempts_at_most"
            ),
            models.UniqueConstraint(fields=["referral", "number"], name="contact_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"
