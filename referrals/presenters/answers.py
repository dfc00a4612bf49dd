"""Our answers to a received case: what was said, and whether the requester has heard it."""

from dataclasses import dataclass

from bars_portal.accounts.acting import Acting
from bars_portal.nhsuk import dates
from referrals.answer_policies import can_check_again, can_send_again
from referrals.answer_states import AnswerState
from referrals.case_words import priority_words
from referrals.content_answers import (
    AnswerContent,
    CadStatus,
    NonAttendance,
    Outcome,
    Rejection,
    Started,
    read_content,
)
from referrals.models import CaseAnswer
from referrals.states import ReplyKind

_TONES = {
    AnswerState.SENDING: "working",
    AnswerState.DELIVERED: "done",
    AnswerState.REFUSED: "failed",
    AnswerState.UNKNOWN: "attention",
    AnswerState.NO_ADDRESS: "failed",
}
_CAD = {"planned": "Accepted", "in-progress": "In progress", "finished": "Finished"}
Row = dict[str, str]


@dataclass(frozen=True)
class AnswerLine:
    answer: CaseAnswer
    kind: str
    state: str
    tone: str
    rows: list[Row]
    can_check: bool
    can_send: bool


def answer_line(acting: Acting, answer: CaseAnswer) -> AnswerLine:
    kind, state = ReplyKind(answer.kind), AnswerState(answer.state)
    return AnswerLine(
        answer,
        kind.label,
        state.label,
        _TONES[state],
        content_rows(read_content(kind, answer.content)),
        can_check_again(acting, answer),
        can_send_again(acting, answer),
    )


def content_rows(content: AnswerContent) -> list[Row]:
    """What is said, label and value; also for the check before it is sent."""
    pairs = _pairs(content)
    return [{"key": key, "value": value} for key, value in pairs if value]


def _pairs(content: AnswerContent) -> list[tuple[str, str]]:
    match content:
        case Started():
            return []
        case Rejection():
            return [("Reason", content.reason.display), ("In your words", content.words)]
        case CadStatus():
            return [("How far", _CAD[content.status.value]), ("In your words", content.words)]
        case NonAttendance():
            return _missed(content)
        case Outcome():
            return _outcome(content)


def _missed(content: NonAttendance) -> list[tuple[str, str]]:
    start, end = content.expected_from, content.expected_until
    return [
        ("Expected", f"{dates.format_datetime(start)} to {dates.format_time(end)}"),
        ("What happened", content.words),
        ("Safeguarding", "A safeguarding concern is raised" if content.safeguarding_code else "No concern"),
        ("The concern", content.safeguarding_words),
    ]


def _outcome(content: Outcome) -> list[tuple[str, str]]:
    place = content.place
    where = (*place.address_lines, place.city, place.postcode, place.what3words) if place else ()
    raised = "; ".join(
        f"{each.category.display}: {each.words or each.display}" for each in content.flags_raised
    )
    return [
        ("What it leads to", content.disposition.label),
        ("Category", priority_words(content.priority or "")),
        ("What was found and advised", content.narrative),
        ("Triage codes", "; ".join(each.display or each.code for each in content.codes)),
        ("Clock starts", dates.format_datetime(content.clock_start)),
        ("New ambulance case", content.cad_id),
        ("Where the patient is now", ", ".join(each for each in where if each)),
        ("New warning", raised),
        ("Warnings ended", str(len(content.flags_ended)) if content.flags_ended else ""),
    ]
