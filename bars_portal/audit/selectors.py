"""Reads of the trail."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from bars_portal.audit.models import AuditEvent

# `<room>.view_<what>`, `<room>.export_<what>`, `<room>.unmask_<what>`.
_VIEW, EXPORT, _UNMASK = ".view_", ".export_", ".unmask_"
_MOST_VIEWS = 500


def events_of(organisation_id: int | None) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(seen_by(organisation_id))


def seen_by(organisation_id: int | None) -> Q:
    """The organisation's events, and those of no organisation that are not about other organisations' people.

    Of no organisation are what the portal does by itself, and the comings and goings of people.
    """
    people: Any = AuditEvent._meta.get_field("actor_user").related_model
    own = people.objects.filter(memberships__organisation_id=organisation_id)
    ids = own.annotate(key=Cast("pk", CharField())).values("key")
    nobodys = Q(actor_user=None) | Q(actor_user__in=own.values("pk"))
    about_ours = ~Q(subject_type=people._meta.label_lower) | Q(subject_id="") | Q(subject_id__in=ids)
    return Q(organisation_id=organisation_id) | (Q(organisation_id=None) & nobodys & about_ours)


def last_act_in(organisation_id: int) -> Subquery:
    """Of a query of people: when each of them last did, or looked at, something for the organisation."""
    own = AuditEvent.objects.filter(organisation_id=organisation_id, actor_user=OuterRef("pk"))
    return Subquery(own.order_by("-at").values("at")[:1])


def views_of(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> list[AuditEvent]:
    """When the organisation's people looked at these (type, id), or saved them as a file.

    Oldest first; of many the newest 500.
    """
    rows = AuditEvent.objects.filter(events_about(subjects), looks(), organisation_id=organisation_id)
    return list(rows.order_by("-at", "-id")[:_MOST_VIEWS])[::-1]


def looks() -> Q:
    """What lets somebody see something, by its action."""
    return reduce(or_, (Q(action__contains=each) for each in (_VIEW, EXPORT, _UNMASK)))


def events_about(subjects: Iterable[tuple[str, str]], conversations: Iterable[UUID] = ()) -> Q:
    """Events of these (type, id), and of these correlation ids."""
    ids: dict[str, list[str]] = {}
    for kind, subject_id in subjects:
        ids.setdefault(kind, []).append(subject_id)
    about = (Q(subject_type=kind, subject_id__in=found) for kind, found in ids.items())
    return reduce(or_, about, Q(correlation_id__in=list(conversations)))
