"""Work in progress on requests: what is being typed, and what follows once an old referral is taken back."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation, User
from bars_portal.patients.models import Journey
from bookings.models import Booking
from directory.models import HealthcareService
from referrals.cases.models import Referral, ValidationCase

# In `typed`, instead of what was typed: a second press, or the back button, finds the case.
SENT = "sent"


class RequestDraft(models.Model):
    """A request being written: kept here so that nothing typed is lost and no URL names a patient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="+")
    use_case = models.CharField(max_length=20)
    # Exactly what was typed, step by step, valid or not yet: {step: {field: text}}.
    typed = models.JSONField(default=dict)
    # What it belongs to, when it does not begin a case; what it replaces; what it updates.
    booking = models.ForeignKey(Booking, null=True, on_delete=models.CASCADE, related_name="+")
    journey = models.ForeignKey(Journey, null=True, on_delete=models.CASCADE, related_name="+")
    replaces = models.ForeignKey(Referral, null=True, on_delete=models.CASCADE, related_name="+")
    updates_referral = models.ForeignKey(Referral, null=True, on_delete=models.CASCADE, related_name="+")
    updates_validation = models.ForeignKey(
        ValidationCase, null=True, on_delete=models.CASCADE, related_name="+"
    )
    # The received case, of either kind, that it carries on.
    onward_from = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def updates(self) -> Referral | ValidationCase | None:
        return self.updates_referral or self.updates_validation


class Rereferral(models.Model):
    """Revoke first, then refer anew: the plan is written before the first message, no half is forgotten."""

    revoked = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="rereferral")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="+")
    # What the new referral states (referrals.parts.content).
    content = models.JSONField(default=dict)
    # The appointment that is rebooked with it: its successor rests on the new referral.
    rebooked = models.ForeignKey(Booking, null=True, on_delete=models.PROTECT, related_name="+")
    made = models.OneToOneField(Referral, null=True, on_delete=models.PROTECT, related_name="rereferred_from")
    # For whom an application of the API asks (accounts.acting.StatedPerson); the new referral names them too.
    stated = models.JSONField(null=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"re-referral of {self.revoked_id}"
