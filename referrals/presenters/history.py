"""What happened to a case, step by step, in words."""

from dataclasses import dataclass
from datetime import datetime

from bars_portal.correspondence.history import Step
from referrals.case_words import EVENTS
from referrals.models import Case, CaseVersion
from referrals.selectors import changes_of, versions_of
from referrals.states import CaseEvent

_BY_THE_SERVICE = frozenset(
    {
        CaseEvent.CONFIRM,
        CaseEvent.REFUSE,
        CaseEvent.CONFIRM_UPDATE,
        CaseEvent.REFUSE_UPDATE,
        CaseEvent.CONFIRM_REVOKE,
        CaseEvent.CONFIRM_IN_ERROR,
        CaseEvent.REFUSE_REVOKE,
        CaseEvent.REFUSE_REVOKE_ACCEPTED,
        CaseEvent.REFUSE_REVOKE_STARTED,
    }
)


@dataclass(frozen=True)
class VersionLine:
    """`has_message`: the message that brought it can be read."""

    number: int
    at: datetime
    words: str
    has_message: bool


def history_lines(case: Case) -> list[Step]:
    """Oldest first; an answer came from the service, whoever's message it answers."""
    return [
        Step(
            EVENTS.get(change.event, change.event),
            case.service.name if change.event in _BY_THE_SERVICE else change.actor_label,
            change.at,
            change.note,
        )
        for change in changes_of(case)
    ]


def version_lines(case: Case) -> list[VersionLine]:
    return [_version(each) for each in versions_of(case)]


def _version(version: CaseVersion) -> VersionLine:
    words = "As first received" if version.number == 1 else _WORDS.get(_status(version), "Updated")
    return VersionLine(version.number, version.at, words, version.message_id is not None)


def _status(version: CaseVersion) -> str:
    return str(version.resource.get("status", ""))


_WORDS = {
    "revoked": "Ended: revoked",
    "entered-in-error": "Ended: entered in error",
    "completed": "Completed",
}
