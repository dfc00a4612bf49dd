"""Filters of the worklist that a person keeps."""

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from referrals.models import SavedFilter


def saved_filters_of(acting: Acting) -> QuerySet[SavedFilter]:
    """The person's own, for the organisation that they act for, by name."""
    return SavedFilter.objects.filter(user=acting.user, organisation=acting.organisation)


def saved_filter_for(acting: Acting, filter_id: int) -> SavedFilter | None:
    return saved_filters_of(acting).filter(pk=filter_id).first()
