"""Reads of the trail."""

from django.db.models import Q, QuerySet

from bars_portal.audit.models import AuditEvent


def events_of(organisation_id: int | None) -> QuerySet[AuditEvent]:
    """The organisation's events and those of no organisation (the portal's own, failed sign-ins)."""
    own = Q(organisation_id=organisation_id) | Q(organisation_id=None)
    return AuditEvent.objects.filter(own)
