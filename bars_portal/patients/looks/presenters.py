"""Events of the trail as rows of a page and of a file."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bars_portal.audit.models import AuditEvent
from bars_portal.audit.presenters import action_words, detail_words, outcome_words, subject_words


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
# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    """Line by line, so that a large file is never held; with the mark by which spreadsheets know UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(_COLUMNS)
    for event in events:
        row = trail_row(event)
        cells = (
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
        yield writer.writerow(map(harmless, cells))


def harmless(cell: str) -> str:
    """The same text where no program takes it for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
