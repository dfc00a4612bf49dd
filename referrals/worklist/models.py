"""A filter of the worklist that somebody keeps under a name."""

from django.db import models
from django.db.models.functions import Lower

from bars_portal.accounts.models import Organisation, User

NAME_LENGTH = 60


class SavedFilter(models.Model):
    """One person's, for the organisation that they act for."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    # What was chosen, by field of the worklist's form.
    chosen = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint("user", "organisation", Lower("name"), name="saved_filter_name_once")
        ]

    def __str__(self) -> str:
        return f"saved filter {self.pk}"
