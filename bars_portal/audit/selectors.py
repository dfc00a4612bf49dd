"""Reads of the trail."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from bars_portal.audit.models import AuditEvent

# `<room>.view_<what>`.
_VIEW, _MOST_VIEWS = ".view_", 500


def events_of(organisation_id: int | None) -> QuerySet[AuditEvent]:
    """The organisation's events and those of no organisation (the portal's own, failed sign-ins)."""
    own = Q(organisation_id=organisation_id) | Q(organisation_id=None)
    return AuditEvent.objects.filter(own)


def views_of(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> list[AuditEvent]:
    """When the organisation's people looked at these (type, id), oldest first; the newest 500."""
    wanted = Q(pk__in=[])
    for subject_type, subject_id in subjects:
        wanted |= Q(subject_type=subject_type, subject_id=subject_id)
    rows = AuditEvent.objects.filter(wanted, organisation_id=organisation_id, action__contains=_VIEW)
    return list(rows.order_by("-at", "-id")[:_MOST_VIEWS])[::-1]
