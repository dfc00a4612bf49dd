"""Everything that happened in one journey of the organisation, oldest first."""

from collections.abc import Iterable, Iterator
from typing import Any

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Journey
from bookings.models import BookingStatusChange
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from bookings.states import BookingStatus
from referrals.cases.models import (
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
from referrals.cases.states import CaseEvent, CaseStatus, ReplyKind, ResponseState
from referrals.journey.entries import (
    NAMES,
    Entry,
    EntryKind,
    attempts_of_journey,
    subjects_of,
    views_of_journey,
)

_ONWARD = "Refers the patient onward: carries on a case that we received."


def timeline_of(acting: Acting, journey: Journey) -> list[Entry]:
    """Both roles' sides as far as the person may see them; nothing of another organisation's journey."""
    if journey.organisation_id != acting.organisation.pk:
        return []
    seen = [direction for direction in Direction if acting.may(VIEW[direction])]
    diary = [direction for direction in Direction if acting.may(VIEW_BOOKINGS[direction])]
    subjects = subjects_of(acting, journey)
    entries = [*_bookings(journey, diary), *_case_entries(journey, seen), *_links(journey, seen)]
    if entries:
        entries += attempts_of_journey(acting, subjects)
        entries += views_of_journey(acting, journey, subjects)
    if Direction.SENT in seen:
        entries += _unmatched(journey)
    return sorted(entries, key=lambda entry: (entry.at, entry.kind.place))


def _bookings(journey: Journey, directions: list[Direction]) -> Iterator[Entry]:
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
