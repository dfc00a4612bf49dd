"""Events of the trail as rows of a page and of a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bars_portal.audit.models import AuditEvent
from bars_portal.audit.presenters import action_words, detail_words, outcome_words, subject_words
from bars_portal.nhsuk.documents import csv_lines


@dataclass(frozen=True)
class TrailRow:
    at: datetime
    who: str
    username: str
    organisation: str
    what: str
    about: str
    outcome: str
    is_done: bool


def trail_row(event: AuditEvent) -> TrailRow:
    return TrailRow(
        at=event.at,
        who=event.actor_label,
        username=event.actor_user.get_username() if event.actor_user else "",
        organisation=event.organisation.name if event.organisation else "",
        what=action_words(event.action),
        about=subject_words(event),
        outcome=outcome_words(event.outcome),
        is_done=event.outcome == "done",
    )


_COLUMNS = (
    "When (UTC)",
    "Who",
    "Username",
    "Organisation",
    "ODS code",
    "What",
    "Outcome",
    "About",
    "Action code",
    "Correlation id",
    "Details",
)


def file_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    return csv_lines(_COLUMNS, map(_cells, events))


def _cells(event: AuditEvent) -> tuple[str, ...]:
    row = trail_row(event)
    return (
        event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        row.who,
        row.username,
        row.organisation,
        event.organisation.ods_code if event.organisation else "",
        row.what,
        row.outcome,
        row.about,
        event.action,
        str(event.correlation_id or ""),
        detail_words(event),
    )
