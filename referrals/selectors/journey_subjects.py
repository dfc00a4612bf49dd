"""Everything of a journey that a person may see, by what messages and audit events call it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bars_portal.accounts.acting import Acting
from bars_portal.patients.models import Journey
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals.models import MODELS, CaseAnswer
from referrals.permissions import VIEW
from referrals.states import Category, Direction

# Type and id, as OutboundMessage and AuditEvent keep them.
Key = tuple[str, str]
NAMES = {Category.REFERRAL: "Referral", Category.VALIDATION: "Validation request"}


@dataclass(frozen=True)
class Subject:
    """A booking or case of the journey; an answer stands for its case."""

    name: str
    direction: Direction
    service_name: str
    page: Key


def subjects_of(acting: Acting, journey: Journey) -> Mapping[Key, Subject]:
    """Nothing of another organisation's journey."""
    if journey.organisation_id != acting.organisation.pk:
        return {}
    return {**dict(_bookings(acting, journey)), **dict(_cases(acting, journey))}


def _bookings(acting: Acting, journey: Journey) -> Iterator[tuple[Key, Subject]]:
    seen = [each for each in Direction if acting.may(VIEW_BOOKINGS[each])]
    rows = Booking.objects.filter(journey=journey, direction__in=seen).select_related("service")
    for booking in rows:
        key = (booking._meta.label_lower, str(booking.pk))
        yield key, Subject("Booking", Direction(booking.direction), booking.service.name, key)


def _cases(acting: Acting, journey: Journey) -> Iterator[tuple[Key, Subject]]:
    seen = [each for each in Direction if acting.may(VIEW[each])]
    for category in Category:
        rows = MODELS[category].objects.filter(journey=journey, direction__in=seen)
        for case in rows.select_related("service"):
            key = (case._meta.label_lower, str(case.pk))
            subject = Subject(NAMES[category], Direction(case.direction), case.service.name, key)
            yield key, subject
            yield from _answers(category, case.pk, subject)


def _answers(category: Category, case_id: Any, subject: Subject) -> Iterator[tuple[Key, Subject]]:
    if subject.direction is Direction.RECEIVED:
        rows = CaseAnswer.objects.filter(**{f"{category.value}_id": case_id})
        for answer_id in rows.values_list("pk", flat=True):
            yield (CaseAnswer._meta.label_lower, str(answer_id)), subject
