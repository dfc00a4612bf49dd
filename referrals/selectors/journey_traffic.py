"""Every attempt to send something of a journey, and every look at it: as entries of its timeline."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from bars_portal.accounts.acting import Acting
from bars_portal.audit.selectors import EXPORT, views_of
from bars_portal.exchange.models import DeliveryAttempt, OutboundMessage
from bars_portal.exchange.registry import message_type
from bars_portal.exchange.selectors import attempts_about, outbound_about
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.patients.models import Journey
from referrals.journey_entries import Entry, EntryKind
from referrals.selectors.journey_subjects import Key, Subject, subjects_of

_CAME_BACK = {
    Delivery.ACCEPTED: "It was taken.",
    Delivery.DUPLICATE: "It had arrived before, and was not taken twice.",
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
        message_id=message_id,
        **told,  # type: ignore[arg-type]  # by name
    )
