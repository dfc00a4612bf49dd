"""What the standard's use cases ask of a request.

Sources: the MessageDefinitions (a validation has one Location and no Condition, Task or questionnaires),
the profiles (a validation has both ends of its time frame), and what the published examples carry.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bars_portal.exchange.fhir.codes import UseCase
from referrals.cases.states import CaseEvent, Category, ReplyKind


class Part(StrEnum):
    """`label` heads its step."""

    ASSESSMENT = "assessment"
    OUTCOMES = "outcomes"
    NARRATIVE = "narrative"
    PRIORITY = "priority"
    STAGE = "stage"
    CALL_TIMES = "call-times"
    TIME_FRAME = "time-frame"
    BREACH_TIME = "breach-time"
    FLAGS = "flags"
    SCENE_SAFETY = "scene-safety"
    MEDICATION = "medication"
    ALLERGIES = "allergies"
    OBSERVATIONS = "observations"
    REJECTED_SERVICES = "rejected-services"
    SOURCES = "sources"
    EXPECTATIONS = "expectations"
    INCIDENT = "incident"
    OTHER_PLACES = "other-places"
    CONDITION = "condition"
    HELP_ASKED = "help-asked"
    TASK = "task"
    NATURE_OF_CALL = "nature-of-call"
    PRE_TRIAGE = "pre-triage"
    PROCEDURES = "procedures"
    NOTES = "notes"
    BOOKING = "booking"

    @property
    def label(self) -> str:
        return _LABELS.get(self, self.value.replace("-", " ").capitalize())


_LABELS = {
    Part.OUTCOMES: "Triage outcome with its code",
    Part.PRIORITY: "Ambulance response priority",
    Part.STAGE: "How far the call is",
    Part.CALL_TIMES: "Times of the call",
    Part.INCIDENT: "Where it is",
    Part.TASK: "What is asked",
    Part.SOURCES: "Special notes and other records",
    Part.CONDITION: "Presenting complaint",
    Part.HELP_ASKED: "What help is asked for",
    Part.NOTES: "Call log",
}


class Need(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    ABSENT = "absent"


_P, _REQUIRED, _OPTIONAL, _ABSENT = Part, Need.REQUIRED, Need.OPTIONAL, Need.ABSENT
_ANYWHERE = dict.fromkeys(
    (
        _P.OUTCOMES,
        _P.NARRATIVE,
        _P.PRIORITY,
        _P.FLAGS,
        _P.MEDICATION,
        _P.ALLERGIES,
        _P.OBSERVATIONS,
        _P.EXPECTATIONS,
    ),
    _OPTIONAL,
)
# Who was assessed by NHS 111 or 999: what it came to, in codes and in words.
_ASSESSED = dict.fromkeys((_P.ASSESSMENT, _P.OUTCOMES, _P.NARRATIVE), _REQUIRED)
_TO_A_PLACE = {
    **_ANYWHERE,
    **_ASSESSED,
    _P.TIME_FRAME: _OPTIONAL,
    _P.BREACH_TIME: _OPTIONAL,
    _P.REJECTED_SERVICES: _OPTIONAL,
    _P.SOURCES: _OPTIONAL,
    _P.BOOKING: _OPTIONAL,
}
_TO_A_CAS = {
    **_ANYWHERE,
    **_ASSESSED,
    # From 999: an ambulance is meant.
    _P.PRIORITY: _REQUIRED,
    _P.CALL_TIMES: _OPTIONAL,
    _P.TIME_FRAME: _REQUIRED,
    _P.BREACH_TIME: _REQUIRED,
    _P.SCENE_SAFETY: _REQUIRED,
    _P.INCIDENT: _REQUIRED,
}
_CAS_REFERRAL = {
    **_TO_A_CAS,
    _P.REJECTED_SERVICES: _OPTIONAL,
    _P.SOURCES: _OPTIONAL,
    _P.BOOKING: _OPTIONAL,
}
_PHARMACY = {
    **_ANYWHERE,
    _P.PRIORITY: _ABSENT,
    _P.ASSESSMENT: _REQUIRED,
    _P.NARRATIVE: _REQUIRED,
    _P.TIME_FRAME: _OPTIONAL,
    _P.BREACH_TIME: _OPTIONAL,
    _P.CONDITION: _REQUIRED,
    _P.TASK: _REQUIRED,
    _P.REJECTED_SERVICES: _OPTIONAL,
    _P.SOURCES: _OPTIONAL,
    _P.BOOKING: _OPTIONAL,
}
# A first alert has hardly more than where and what.
_AMBULANCE = {
    **_ANYWHERE,
    _P.ASSESSMENT: _OPTIONAL,
    _P.STAGE: _REQUIRED,
    _P.CALL_TIMES: _OPTIONAL,
    _P.SCENE_SAFETY: _REQUIRED,
    _P.INCIDENT: _REQUIRED,
    _P.OTHER_PLACES: _OPTIONAL,
    _P.CONDITION: _REQUIRED,
    _P.TASK: _OPTIONAL,
    _P.NATURE_OF_CALL: _OPTIONAL,
    _P.PRE_TRIAGE: _OPTIONAL,
    _P.PROCEDURES: _OPTIONAL,
    _P.NOTES: _OPTIONAL,
    _P.SOURCES: _OPTIONAL,
}
# Its updates come with what triage came to.
_ONCE_TRIAGED = dict.fromkeys((_P.OUTCOMES, _P.NARRATIVE, _P.PRIORITY), _REQUIRED)
# ServiceRequest.category.text says what is asked of the neighbour.
_HELP = {**_AMBULANCE, _P.HELP_ASKED: _REQUIRED}
_VALIDATION_RESPONSES = {
    CaseEvent.START: ReplyKind.INTERIM,
    CaseEvent.REJECT: ReplyKind.REJECTED,
    CaseEvent.COMPLETE: ReplyKind.FULL,
    CaseEvent.REVISE: ReplyKind.FULL,
}
_AMBULANCE_RESPONSES = {
    CaseEvent.ACCEPT: ReplyKind.CAD_STATUS,
    CaseEvent.START: ReplyKind.CAD_STATUS,
    CaseEvent.COMPLETE: ReplyKind.CAD_STATUS,
}
# Help may be refused; a call from out of area is the control's own, whoever took it.
_HELP_RESPONSES = {**_AMBULANCE_RESPONSES, CaseEvent.REJECT: ReplyKind.CAD_REJECTION}
_REFERRAL_RESPONSES = {CaseEvent.RECORD_NON_ATTENDANCE: ReplyKind.DID_NOT_ATTEND}


@dataclass(frozen=True)
class Application:
    """What the use cases of one Application ask of both sides; a new Application is one more row."""

    use_cases: Collection[UseCase]
    needs: Mapping[Part, Need]
    category: Category = Category.REFERRAL
    # The response that tells the requester of a decision; of all others the standard has none (section 6).
    responses: Mapping[CaseEvent, ReplyKind] = field(default_factory=_REFERRAL_RESPONSES.copy)
    # The others refer again instead (section 6).
    is_updated: bool = False
    # Somebody else must look at the assessment: its plan is not completed.
    plan_is_open: bool = False
    # Between ambulance controls, who tell one another how far they are.
    is_ambulance: bool = False
    # What is asked is an order of a service from a list (Task.intent, Task.code).
    is_ordered: bool = False
    # Whether only clinicians send it: a surgery's other staff refer to a pharmacy, too.
    is_clinical: bool = True
    # An NHS number that nobody traced goes out too, as not traced; elsewhere it stays here.
    sends_untraced: bool = False
    # ServiceRequest.occurrencePeriod.start is when it is asked; elsewhere a person may say from when.
    starts_now: bool = False


_U = UseCase
_TO_A_DEPARTMENT = (_U.A1T1, _U.A1T2, _U.A1T3, _U.A1T4, _U.A1T5, _U.A1T6, _U.A1T7, _U.A1T8, _U.A1T9)
_out_of_area = Application(
    (_U.A6T1,),
    _AMBULANCE,
    responses=_AMBULANCE_RESPONSES,
    is_updated=True,
    plan_is_open=True,
    is_ambulance=True,
)
APPLICATIONS: tuple[Application, ...] = (
    Application(_TO_A_DEPARTMENT, _TO_A_PLACE),
    Application((_U.A2T1, _U.A2T2, _U.A2T3, _U.A2T4), _TO_A_PLACE),
    Application((_U.A3T1,), _CAS_REFERRAL, is_updated=True, starts_now=True),
    Application(
        (_U.A4T1, _U.A4T2, _U.A4T3),
        _TO_A_CAS,
        category=Category.VALIDATION,
        responses=_VALIDATION_RESPONSES,
        is_updated=True,
        plan_is_open=True,
        starts_now=True,
    ),
    Application(
        (_U.A5T1, _U.A5T2, _U.A5T3, _U.REFERRAL_TO_PHARMACY),
        _PHARMACY,
        is_ordered=True,
        is_clinical=False,
        sends_untraced=True,
    ),
    _out_of_area,
    replace(_out_of_area, use_cases=(_U.A6T2, _U.A6T3), needs=_HELP, responses=_HELP_RESPONSES),
)
_BY_USE_CASE = {use_case: row for row in APPLICATIONS for use_case in row.use_cases}


def application_of(use_case: UseCase) -> Application:
    return _BY_USE_CASE[use_case]


def application_for(use_case: str, category: Category) -> Application:
    """Of a case whose use case is not known, or not of its category, the first of the category."""
    row = next((each for each in APPLICATIONS if use_case in each.use_cases), None)
    if row is not None and row.category is category:
        return row
    return next(each for each in APPLICATIONS if each.category is category)


def needs_of(use_case: UseCase, *, is_triaged: bool = False) -> Mapping[Part, Need]:
    """Every part, with what the use case says of it; `is_triaged`: ambulance control is past triage."""
    needs = application_of(use_case).needs
    later = _ONCE_TRIAGED if is_triaged else {}
    return {part: later.get(part, needs.get(part, Need.ABSENT)) for part in Part}
