"""Filters of the worklist that a person keeps. Races are settled by the name's unique index."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import PolicyRefused, need

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


def saved_filters_of(acting: Acting) -> QuerySet[SavedFilter]:
    """The person's own, for the organisation that they act for, by name."""
    return SavedFilter.objects.filter(user=acting.user, organisation=acting.organisation)


def saved_filter_for(acting: Acting, filter_id: int) -> SavedFilter | None:
    return saved_filters_of(acting).filter(pk=filter_id).first()


MOST = 20
_TAKEN = "You have a filter of this name already. Choose another name."


def save_filter(*, name: str, chosen: Mapping[str, str], acting: Acting, now: datetime) -> SavedFilter:
    """Raises PolicyRefused: a name that is taken, or too many."""
    need(saved_filters_of(acting).count() < MOST, f"You have {MOST} saved filters. Delete one first.")
    kept = SavedFilter(
        user=acting.user, organisation=acting.organisation, name=name, chosen=dict(chosen), created_at=now
    )
    return _save(kept)


def rename_filter(*, saved: SavedFilter, name: str) -> SavedFilter:
    """Raises PolicyRefused: a name that is taken."""
    saved.name = name
    return _save(saved)


def delete_filter(*, saved: SavedFilter) -> None:
    SavedFilter.objects.filter(pk=saved.pk).delete()


def _save(saved: SavedFilter) -> SavedFilter:
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        raise PolicyRefused(_TAKEN) from error
    return saved
