"""Entries of a case's timeline; everything of a journey that a person may see, each attempt and each look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from bars_portal.accounts.acting import Acting
from bars_portal.audit.selectors import EXPORT, views_of
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import DeliveryAttempt, OutboundMessage
from bars_portal.exchange.registry import message_type
from bars_portal.exchange.selectors import attempts_about, outbound_about
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.patients.models import Journey
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals.cases.models import MODELS, CaseAnswer
from referrals.cases.policies import VIEW
from referrals.cases.states import Category


class EntryKind(StrEnum):
    """What an entry is about; entries of one moment come in this order."""

    BOOKING = "booking"
    CASE = "case"
    VERSION = "version"
    ANSWER = "answer"
    DELIVERY = "delivery"
    REPLY = "reply"
    UNMATCHED = "unmatched"
    NOTE = "note"
    LINK = "link"
    VIEW = "view"

    @property
    def place(self) -> int:
        return list(EntryKind).index(self)


@dataclass(frozen=True)
class Entry:
    """`words` are for people and hold no patient data but a note's text; `subject` is the page's thing.

    `direction` is that of the booking or case, None for the journey as a whole; an answer goes out from a
    received one. `message_id`: of the message that was sent.
    """

    at: datetime
    kind: EntryKind
    direction: Direction | None
    words: str
    detail: str
    actor: str
    subject_type: str
    subject_id: str
    subject_name: str
    # DoS service id; "" for the journey as a whole.
    service_id: str
    message_id: str = ""


# Type and id, as OutboundMessage and AuditEvent keep them.
Key = tuple[str, str]
NAMES = {Category.REFERRAL: "Referral", Category.VALIDATION: "Validation request"}


@dataclass(frozen=True)
class Subject:
    """A booking or case of the journey; an answer stands for its case."""

    name: str
    direction: Direction
    service_name: str
    service_id: str
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
        at = booking.service
        yield key, Subject("Booking", Direction(booking.direction), at.name, at.service_id, key)


def _cases(acting: Acting, journey: Journey) -> Iterator[tuple[Key, Subject]]:
    seen = [each for each in Direction if acting.may(VIEW[each])]
    for category in Category:
        rows = MODELS[category].objects.filter(journey=journey, direction__in=seen)
        for case in rows.select_related("service"):
            key = (case._meta.label_lower, str(case.pk))
            at = case.service
            subject = Subject(NAMES[category], Direction(case.direction), at.name, at.service_id, key)
            yield key, subject
            yield from _answers(category, case.pk, subject)


def _answers(category: Category, case_id: Any, subject: Subject) -> Iterator[tuple[Key, Subject]]:
    if subject.direction is Direction.RECEIVED:
        rows = CaseAnswer.objects.filter(**{f"{category.value}_id": case_id})
        for answer_id in rows.values_list("pk", flat=True):
            yield (CaseAnswer._meta.label_lower, str(answer_id)), subject


_CAME_BACK = {
    Delivery.ACCEPTED: "It was taken.",
    Delivery.DUPLICATE: "It had arrived before, and was not taken twice.",
    Delivery.FOUND: "It was refused, and a read shows that the service has it.",
    Delivery.REFUSED: "It was not taken.",
    Delivery.UNKNOWN: "No clear answer came back.",
}


def sent_message_for(acting: Acting, journey: Journey, message_id: UUID) -> OutboundMessage | None:
    """A message of the journey that the organisation sent, whose subject the person may see."""
    found = outbound_about(acting.organisation.pk, subjects_of(acting, journey))
    return found.filter(pk=message_id).first()


def attempts_of_journey(acting: Acting, subjects: Mapping[Key, Subject]) -> Iterator[Entry]:
    """A second attempt is a retry: the very same message once more."""
    for attempt in attempts_about(acting.organisation.pk, subjects):
        message = attempt.message
        subject = subjects[message.subject_type, message.subject_id]
        again = f", attempt {attempt.number}" if attempt.number > 1 else ""
        yield _entry(
            subject,
            at=attempt.started_at,
            kind=EntryKind.DELIVERY,
            words=f"{message_type(message.message_type).label}: message sent{again}",
            detail=came_back(attempt),
            actor=message.actor_label,
            message_id=str(message.pk),
        )


def views_of_journey(acting: Acting, journey: Journey, subjects: Mapping[Key, Subject]) -> Iterator[Entry]:
    """Who looked at what, refused ones too."""
    whole = (journey._meta.label_lower, str(journey.pk))
    for event in views_of(acting.organisation.pk, [*subjects, whole]):
        subject = subjects.get((event.subject_type, event.subject_id))
        name = subject.name if subject else "The whole journey"
        did = "saved as a file" if EXPORT in event.action else "viewed"
        said = did if event.outcome == "done" else f"not {did}: refused"
        yield _entry(
            subject, at=event.at, kind=EntryKind.VIEW, words=f"{name}: {said}", actor=event.actor_label
        )


def came_back(attempt: DeliveryAttempt) -> str:
    if not attempt.outcome:
        return "No answer yet."
    return _CAME_BACK[Delivery(attempt.outcome)]


def _entry(subject: Subject | None, *, detail: str = "", message_id: str = "", **told: object) -> Entry:
    page = subject.page if subject else ("", "")
    return Entry(
        direction=subject.direction if subject else None,
        detail=detail,
        subject_type=page[0],
        subject_id=page[1],
        subject_name=subject.service_name if subject else "",
        service_id=subject.service_id if subject else "",
        message_id=message_id,
        **told,  # type: ignore[arg-type]  # by name
    )
