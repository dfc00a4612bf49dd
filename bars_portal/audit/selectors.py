"""Reads of the trail."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from bars_portal.audit.models import AuditEvent

# `<room>.view_<what>`, `<room>.export_<what>`.
_VIEW, EXPORT, _MOST_VIEWS = ".view_", ".export_", 500


def events_of(organisation_id: int | None) -> QuerySet[AuditEvent]:
    """The organisation's events and those of no organisation (the portal's own, failed sign-ins)."""
    own = Q(organisation_id=organisation_id) | Q(organisation_id=None)
    return AuditEvent.objects.filter(own)


def views_of(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> list[AuditEvent]:
    """When the organisation's people looked at these (type, id), or saved them as a file.

    Oldest first; of many the newest 500.
    """
    wanted = Q(pk__in=[])
    for subject_type, subject_id in subjects:
        wanted |= Q(subject_type=subject_type, subject_id=subject_id)
    looked = Q(action__contains=_VIEW) | Q(action__contains=EXPORT)
    rows = AuditEvent.objects.filter(wanted, looked, organisation_id=organisation_id)
    return list(rows.order_by("-at", "-id")[:_MOST_VIEWS])[::-1]
