"""Everything that happened in one journey and that a person may see: each step, attempt and look."""

from collections.abc import Iterable, Iterator, Mapping
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
from bookings.models import Booking, BookingStatusChange
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from bookings.states import BookingStatus
from referrals.cases.models import (
    MODELS,
    BookingLink,
    Case,
    CaseAnswer,
    CaseNote,
    CaseReply,
    CaseStatusChange,
    CaseVersion,
    UnmatchedReply,
)
from referrals.cases.policies import VIEW
from referrals.cases.states import CaseEvent, CaseStatus, Category, ReplyKind, ResponseState


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
    return {**dict(_booking_subjects(acting, journey)), **dict(_case_subjects(acting, journey))}


def _booking_subjects(acting: Acting, journey: Journey) -> Iterator[tuple[Key, Subject]]:
    seen = [each for each in Direction if acting.may(VIEW_BOOKINGS[each])]
    rows = Booking.objects.filter(journey=journey, direction__in=seen).select_related("service")
    for booking in rows:
        key = (booking._meta.label_lower, str(booking.pk))
        at = booking.service
        yield key, Subject("Booking", Direction(booking.direction), at.name, at.service_id, key)


def _case_subjects(acting: Acting, journey: Journey) -> Iterator[tuple[Key, Subject]]:
    seen = [each for each in Direction if acting.may(VIEW[each])]
    for category in Category:
        rows = MODELS[category].objects.filter(journey=journey, direction__in=seen)
        for case in rows.select_related("service"):
            key = (case._meta.label_lower, str(case.pk))
            at = case.service
            subject = Subject(NAMES[category], Direction(case.direction), at.name, at.service_id, key)
            yield key, subject
            yield from _answer_subjects(category, case.pk, subject)


def _answer_subjects(category: Category, case_id: Any, subject: Subject) -> Iterator[tuple[Key, Subject]]:
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


_ONWARD = "Refers the patient onward: carries on a case that we received."


def timeline_of(acting: Acting, journey: Journey) -> list[Entry]:
    """Both roles' sides as far as the person may see them; nothing of another organisation's journey."""
    if journey.organisation_id != acting.organisation.pk:
        return []
    seen = [direction for direction in Direction if acting.may(VIEW[direction])]
    diary = [direction for direction in Direction if acting.may(VIEW_BOOKINGS[direction])]
    subjects = subjects_of(acting, journey)
    entries = [*_booking_entries(journey, diary), *_case_entries(journey, seen), *_links(journey, seen)]
    if entries:
        entries += attempts_of_journey(acting, subjects)
        entries += views_of_journey(acting, journey, subjects)
    if Direction.SENT in seen:
        entries += _unmatched(journey)
    return sorted(entries, key=lambda entry: (entry.at, entry.kind.place))


def _booking_entries(journey: Journey, directions: list[Direction]) -> Iterator[Entry]:
    rows = BookingStatusChange.objects.filter(
        booking__journey=journey, booking__direction__in=directions
    ).select_related("booking__service")
    for change in rows.order_by("at", "id"):
        booking = change.booking
        words = f"Booking: {BookingStatus(change.to_status).label}"
        yield Entry(
            at=change.at,
            kind=EntryKind.BOOKING,
            direction=Direction(booking.direction),
            words=words,
            detail=change.note,
            actor=change.actor_label,
            subject_type=booking._meta.label_lower,
            subject_id=str(booking.pk),
            subject_name=booking.service.name,
            service_id=booking.service.service_id,
        )


def _case_entries(journey: Journey, directions: list[Direction]) -> Iterator[Entry]:
    for change in _of(CaseStatusChange, journey):
        if Direction(change.case.direction) in directions:
            yield _changed(change)
    for version in _of(CaseVersion, journey):
        if version.number > 1 and Direction(version.case.direction) in directions:
            yield _case(version.case, version.at, EntryKind.VERSION, f"version {version.number}", "", "")
    for answer in _of(CaseAnswer, journey):
        if Direction(answer.case.direction) in directions:
            yield _answered(answer)
    for reply in _of(CaseReply, journey):
        if Direction(reply.case.direction) in directions:
            yield _case(
                reply.case,
                reply.received_at,
                EntryKind.REPLY,
                f"reply: {ReplyKind(reply.kind).label}",
                reply.reason_text,
                reply.sender_name,
            )
    for note in _of(CaseNote, journey):
        if Direction(note.case.direction) in directions:
            yield _case(note.case, note.at, EntryKind.NOTE, "note", note.text, note.author_label)


def _of(model: type[Any], journey: Journey) -> Iterable[Any]:
    """Rows of the journey's cases of both kinds: two queries, each along its foreign key."""
    for owner in ("referral", "validation"):
        rows = model.objects.filter(**{f"{owner}__journey": journey})
        yield from rows.select_related(f"{owner}__service")


def _changed(change: CaseStatusChange) -> Entry:
    words = CaseStatus(change.to_status).label
    begins = change.event == CaseEvent.REQUEST and change.case.onward_from is not None
    detail = change.note or (_ONWARD if begins else "")
    return _case(change.case, change.at, EntryKind.CASE, words, detail, change.actor_label)


def _answered(answer: CaseAnswer) -> Entry:
    words = f"answer: {ReplyKind(answer.kind).label}"
    detail = f"{ResponseState(answer.state).label}. {answer.explanation}".strip(" .") + "."
    return _case(answer.case, answer.created_at, EntryKind.ANSWER, words, detail, answer.author_label)


def _case(case: Case, at: Any, kind: EntryKind, words: str, detail: str, actor: str) -> Entry:
    return Entry(
        at=at,
        kind=kind,
        direction=Direction(case.direction),
        words=f"{NAMES[case.category]}: {words[:1].lower()}{words[1:]}",
        detail=detail,
        actor=actor,
        subject_type=case._meta.label_lower,
        subject_id=str(case.pk),
        subject_name=case.service.name,
        service_id=case.service.service_id,
    )


def _links(journey: Journey, directions: list[Direction]) -> Iterator[Entry]:
    if Direction.RECEIVED not in directions:
        return
    rows = BookingLink.objects.filter(referral__journey=journey).select_related("referral__service")
    for link in rows:
        words = "linked with an appointment by hand"
        yield _case(link.referral, link.made_at, EntryKind.LINK, words, "", link.made_by_label)


def _unmatched(journey: Journey) -> Iterator[Entry]:
    for reply in UnmatchedReply.objects.filter(journey=journey).select_related("service"):
        yield Entry(
            at=reply.received_at,
            kind=EntryKind.UNMATCHED,
            direction=Direction.SENT,
            words=f"Reply to something unknown: {ReplyKind(reply.kind).label.lower()}",
            detail=reply.reason_text,
            actor=reply.sender_name,
            subject_type=reply._meta.label_lower,
            subject_id=str(reply.pk),
            subject_name=reply.service.name,
            service_id=reply.service.service_id,
        )
