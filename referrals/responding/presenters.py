"""What a person may do with a received case, who hears of it, and what we said so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import why_not
from bars_portal.nhsuk import dates
from referrals.cases.codes import priority_words
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.states import Category, ReplyKind, ResponseState
from referrals.cases.words import HOW_FAR, Row, told_row
from referrals.parts.places import CurrentPlace
from referrals.responding.content import (
    CadStatus,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    Started,
    read_content,
)
from referrals.responding.delivery import NO_ADDRESS, STUCK
from referrals.responding.policies import (
    CAD_DECISIONS,
    Decision,
    can_check_again,
    can_decide,
    can_send_again,
    check_can_decide,
    is_ambulance,
    is_stuck,
    is_told,
    response_to_tell,
)


@dataclass(frozen=True)
class Action:
    """`at_once`: a button that does it; otherwise a link to a form. `main`: what usually comes next."""

    text: str
    url_name: str
    at_once: bool = False
    main: bool = False


@dataclass(frozen=True)
class Actions:
    offered: list[Action]
    # Why nothing is offered; "" when something is.
    sentence: str


_ACCEPT = Action("Accept this referral", "referrals:accept", at_once=True, main=True)
_START = Action("Start working on it", "referrals:start", at_once=True, main=True)
_REJECT = Action("Reject", "referrals:reject")
_REFERRAL = {
    Decision.ACCEPT: _ACCEPT,
    Decision.START: _START,
    Decision.COMPLETE: Action("Complete", "referrals:complete"),
    Decision.RECORD_NON_ATTENDANCE: Action("The patient did not attend", "referrals:did-not-attend"),
    Decision.REJECT: _REJECT,
}
_VALIDATION = {
    Decision.START: _START,
    Decision.COMPLETE: Action("Give the outcome", "referrals:outcome", main=True),
    Decision.REVISE: Action("Correct the outcome", "referrals:outcome"),
    Decision.REJECT: _REJECT,
}
_CAD = Action("Tell how far you are", "referrals:cad-status", main=True)


def actions_for(acting: Acting, case: Case, now: datetime) -> Actions:
    known = _known(case).items()
    offered = [action for decision, action in known if can_decide(acting, case, decision, now)]
    reason = why_not(lambda: check_can_decide(acting, case, Decision.COMPLETE, now))
    return Actions(list(dict.fromkeys(offered)), "" if offered else reason)


def _known(case: Case) -> dict[Decision, Action]:
    if case.category is Category.VALIDATION:
        return _VALIDATION
    if is_ambulance(case):
        return {**dict.fromkeys(CAD_DECISIONS.values(), _CAD), Decision.REJECT: _REJECT}
    return _REFERRAL


_NO_MESSAGE = (
    "This is kept here only: there is no message for it, so nobody outside is told. "
    "Telephone the requester if they need to know."
)


def who_is_told(case: Case, decision: Decision) -> str:
    if not is_told(case, decision):
        has_message = response_to_tell(case, decision) is not None
        return f"This is kept here. {NO_ADDRESS}" if has_message else _NO_MESSAGE
    name = case.requester_name or case.sender_name or "The requester"
    if response_to_tell(case, decision) is ReplyKind.FULL:
        return f"{name} is told at once. What has to be corrected later is told them too."
    return f"{name} is told at once. It cannot be unsaid."


_TONES = {
    ResponseState.SENDING: "working",
    ResponseState.DELIVERED: "done",
    ResponseState.REFUSED: "failed",
    ResponseState.UNKNOWN: "attention",
    ResponseState.NO_ADDRESS: "failed",
}


@dataclass(frozen=True)
class ResponseLine:
    answer: CaseAnswer
    kind: str
    state: str
    tone: str
    rows: list[Row]
    can_check: bool
    can_send: bool
    # What there is to know before it is sent as a new message.
    warning: str


def response_line(acting: Acting, answer: CaseAnswer) -> ResponseLine:
    kind, state = ReplyKind(answer.kind), ResponseState(answer.state)
    return ResponseLine(
        answer,
        kind.label,
        state.label,
        _TONES[state],
        content_rows(read_content(kind, answer.content)),
        can_check_again(acting, answer),
        can_send_again(acting, answer),
        STUCK if is_stuck(answer) else "",
    )


def content_rows(content: ResponseContent) -> list[Row]:
    """What is said, label and value; also for the check before it is sent."""
    return [told_row(key, words) for key, words in _pairs(content) if words]


def _pairs(content: ResponseContent) -> Sequence[tuple[str, str | Sequence[str]]]:
    match content:
        case Started():
            return []
        case Rejection():
            return [("Reason", content.reason.display), ("In your words", content.words)]
        case CadStatus():
            return [("How far", HOW_FAR[content.status.value]), ("In your words", content.words)]
        case NonAttendance():
            return _missed(content)
        case Outcome():
            return _outcome(content)


def _missed(content: NonAttendance) -> list[tuple[str, str]]:
    start, end = content.expected_from, content.expected_until
    one_day = dates.in_london(start).date() == dates.in_london(end).date()
    until = dates.format_time(end) if one_day else dates.format_datetime(end)
    return [
        ("Expected", f"{dates.format_datetime(start)} to {until}"),
        ("What happened", content.words),
        ("Safeguarding", "A safeguarding concern is raised" if content.safeguarding_code else "No concern"),
        ("The concern", content.safeguarding_words),
    ]


def _place_words(place: CurrentPlace) -> tuple[str, ...]:
    return (
        place.name,
        *place.address_lines,
        place.city,
        place.postcode,
        place.what3words,
        f"UPRN {place.uprn}" if place.uprn else "",
        f"easting {place.eastings}, northing {place.northings}" if place.eastings else "",
        f"latitude {place.latitude}, longitude {place.longitude}" if place.latitude else "",
    )


def _outcome(content: Outcome) -> Sequence[tuple[str, str | Sequence[str]]]:
    place = content.place
    where = _place_words(place) if place else ()
    raised = [f"{each.category.display}: {each.words or each.display}" for each in content.flags_raised]
    return [
        ("What it leads to", content.disposition.label),
        ("Category", priority_words(content.priority or "")),
        ("What was found and advised", content.narrative),
        ("Triage codes", [each.display or each.code for each in content.codes]),
        ("Clock starts", dates.format_datetime(content.clock_start)),
        ("Also asked for over ITK", "Yes" if content.itk_asked else ""),
        ("New ambulance case", content.cad_id),
        ("Where the patient is now", ", ".join(each for each in where if each)),
        ("New warning", raised),
        ("Warnings ended", str(len(content.flags_ended)) if content.flags_ended else ""),
    ]
