"""Reads of the trail."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import CharField, OuterRef, Q, Subquery
from django.db.models.functions import Cast

from bars_portal.audit.models import AuditEvent

# `<room>.view_<what>`, `<room>.export_<what>`, `<room>.unmask_<what>`.
_VIEW, EXPORT, _UNMASK = ".view_", ".export_", ".unmask_"
PARTNERS_READ = "exchange.read"
_MOST_VIEWS = 500


def seen_by(organisation_id: int) -> Q:
    """The organisation's events, and the comings and goings of its people, which are of no organisation."""
    by_people, about_people, about_anybody = _of_people(memberships__organisation_id=organisation_id)
    by_them = by_people & (about_people | ~about_anybody)
    goings = by_them | (Q(actor_user=None) & about_people)
    return Q(organisation_id=organisation_id) | (Q(organisation_id=None) & goings)


def seen_by_installation() -> Q:
    """Events of no organisation and of nobody who belongs to one: what the portal does by itself, and who was
    turned away before it was known whom they wanted.
    """
    by_people, about_people, _ = _of_people(memberships__isnull=False)
    return Q(organisation_id=None) & (Q(actor_user=None) | ~by_people) & ~about_people


def _of_people(**chosen: Any) -> tuple[Q, Q, Q]:
    """By these people; about them; and about any person."""
    people: Any = AuditEvent._meta.get_field("actor_user").related_model
    found = people.objects.filter(**chosen)
    ids = found.annotate(key=Cast("pk", CharField())).values("key")
    about_anybody = Q(subject_type=people._meta.label_lower) & ~Q(subject_id="")
    return Q(actor_user__in=found.values("pk")), about_anybody & Q(subject_id__in=ids), about_anybody


def last_act_in(organisation_id: int) -> Subquery:
    """Of a query of people: when each of them last did, or looked at, something for the organisation."""
    own = AuditEvent.objects.filter(organisation_id=organisation_id, actor_user=OuterRef("pk"))
    return Subquery(own.order_by("-at").values("at")[:1])


def views_of(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> list[AuditEvent]:
    """When these (type, id) of the organisation were looked at, or saved as a file, by anybody.

    Oldest first; of many the newest 500.
    """
    rows = AuditEvent.objects.filter(events_about(subjects), looks(), organisation_id=organisation_id)
    return list(rows.order_by("-at", "-id")[:_MOST_VIEWS])[::-1]


def looks() -> Q:
    """What lets somebody see something, by its action; a partner's read, when it came to a record."""
    by_people = (Q(action__contains=each) for each in (_VIEW, EXPORT, _UNMASK))
    return reduce(or_, by_people, Q(action=PARTNERS_READ) & ~Q(subject_id=""))


def events_about(subjects: Iterable[tuple[str, str]], conversations: Iterable[UUID] = ()) -> Q:
    """Events of these (type, id), and of these correlation ids."""
    ids: dict[str, list[str]] = {}
    for kind, subject_id in subjects:
        ids.setdefault(kind, []).append(subject_id)
    about = (Q(subject_type=kind, subject_id__in=found) for kind, found in ids.items())
    return reduce(or_, about, Q(correlation_id__in=list(conversations)))
