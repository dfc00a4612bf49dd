"""How people come to have access, who looked it over, and access that was taken in an emergency."""

import uuid

from django.db import models

from bars_portal.accounts.models.people import Organisation, User
from bars_portal.accounts.permissions import Role

_ROLES = [(role.value, role.label) for role in Role]


class Invitation(models.Model):
    """A link by which somebody makes an account of their own, once and not for long."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=12, choices=_ROLES)
    username = models.CharField(max_length=150)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    # The link holds the token, the database only this: who reads it invites nobody.
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Accepted or withdrawn.
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation of {self.username}"


class AccessReview(models.Model):
    """Somebody looked over who can do what in an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    people = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-reviewed_at"], name="access_review_latest")]

    def __str__(self) -> str:
        return f"access review of {self.organisation_id}"


class BreakGlass(models.Model):
    """Reading more of one's own organisation than one's roles allow, for a reason and for a short time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    # It may tell of a patient: on the page of who reviews it, and nowhere else.
    reason = models.TextField()
    started_at = models.DateTimeField()
    # Earlier than planned when they ended it themselves.
    ends_at = models.DateTimeField()
    # When who reviews it was mailed.
    mailed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "reviewed_at"], name="break_glass_unreviewed")]

    def __str__(self) -> str:
        return f"break-glass of {self.user_id}"
