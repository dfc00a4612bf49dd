"""What the standard's use cases ask of a request.

Sources: the MessageDefinitions (a validation has one Location and no Condition, Task or questionnaires),
the profiles (a validation has both ends of its time frame), and what the published examples carry.
"""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, VALIDATION_USE_CASES, UseCase
from referrals.cases.states import CaseEvent, Category, ReplyKind

# Which parts a request of each use case has: the forms read it to know their steps.
#
# Sources: the MessageDefinitions (a validation has one Location and no Condition, Task or questionnaires),
# the profiles (a validation has both ends of its time frame), and what the published examples carry.


class Part(StrEnum):
    """`label` heads its step."""

    ASSESSMENT = "assessment"
    NARRATIVE = "narrative"
    PRIORITY = "priority"
    STAGE = "stage"
    TIME_FRAME = "time-frame"
    BREACH_TIME = "breach-time"
    FLAGS = "flags"
    SCENE_SAFETY = "scene-safety"
    MEDICATION = "medication"
    ALLERGIES = "allergies"
    OBSERVATIONS = "observations"
    REJECTED_SERVICES = "rejected-services"
    EXPECTATIONS = "expectations"
    INCIDENT = "incident"
    OTHER_PLACES = "other-places"
    CONDITION = "condition"
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
    Part.PRIORITY: "Ambulance response priority",
    Part.STAGE: "How far the call is",
    Part.INCIDENT: "Where it is",
    Part.TASK: "What is asked",
    Part.CONDITION: "Presenting complaint",
    Part.NOTES: "Call log",
}


class Need(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    ABSENT = "absent"


_P, _REQUIRED, _OPTIONAL, _ABSENT = Part, Need.REQUIRED, Need.OPTIONAL, Need.ABSENT
_ANYWHERE = dict.fromkeys(
    (_P.NARRATIVE, _P.PRIORITY, _P.FLAGS, _P.MEDICATION, _P.ALLERGIES, _P.OBSERVATIONS, _P.EXPECTATIONS),
    _OPTIONAL,
)
_TO_A_PLACE = {
    **_ANYWHERE,
    _P.ASSESSMENT: _REQUIRED,
    _P.TIME_FRAME: _OPTIONAL,
    _P.BREACH_TIME: _OPTIONAL,
    _P.REJECTED_SERVICES: _OPTIONAL,
    _P.BOOKING: _OPTIONAL,
}
_TO_A_CAS = {
    **_ANYWHERE,
    _P.ASSESSMENT: _REQUIRED,
    _P.TIME_FRAME: _REQUIRED,
    _P.BREACH_TIME: _REQUIRED,
    _P.SCENE_SAFETY: _OPTIONAL,
    _P.INCIDENT: _REQUIRED,
}
_CAS_REFERRAL = {**_TO_A_CAS, _P.REJECTED_SERVICES: _OPTIONAL, _P.BOOKING: _OPTIONAL}
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
    _P.BOOKING: _OPTIONAL,
}
# A first alert has hardly more than where and what.
_AMBULANCE = {
    **_ANYWHERE,
    _P.ASSESSMENT: _OPTIONAL,
    _P.STAGE: _REQUIRED,
    _P.SCENE_SAFETY: _OPTIONAL,
    _P.INCIDENT: _REQUIRED,
    _P.OTHER_PLACES: _OPTIONAL,
    _P.CONDITION: _REQUIRED,
    _P.TASK: _OPTIONAL,
    _P.NATURE_OF_CALL: _OPTIONAL,
    _P.PRE_TRIAGE: _OPTIONAL,
    _P.PROCEDURES: _OPTIONAL,
    _P.NOTES: _OPTIONAL,
}
_PHARMACY_USE_CASES = frozenset({UseCase.A5T1, UseCase.A5T2, UseCase.A5T3, UseCase.REFERRAL_TO_PHARMACY})


def needs_of(use_case: UseCase) -> Mapping[Part, Need]:
    """Every part, with what the use case says of it."""
    stated = _stated(use_case)
    return {part: stated.get(part, Need.ABSENT) for part in Part}


def _stated(use_case: UseCase) -> Mapping[Part, Need]:
    if use_case in VALIDATION_USE_CASES:
        return _TO_A_CAS
    if use_case in CAD_USE_CASES:
        return _AMBULANCE
    if use_case in _PHARMACY_USE_CASES:
        return _PHARMACY
    return _CAS_REFERRAL if use_case is UseCase.A3T1 else _TO_A_PLACE


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
    CaseEvent.REJECT: ReplyKind.CAD_REJECTION,
}
_REFERRAL_RESPONSES = {CaseEvent.RECORD_NON_ATTENDANCE: ReplyKind.DID_NOT_ATTEND}


def response_to_tell(category: Category, is_ambulance: bool, event: CaseEvent) -> ReplyKind | None:
    """The response that tells the requester of a decision; None where the standard has none.

    Section 6: validations have three responses, ambulance controls (Application 6) two, all other referrals
    only "did not attend": that one is accepted, rejected or completed is not told by a message.
    """
    if category is Category.VALIDATION:
        return _VALIDATION_RESPONSES.get(event)
    return (_AMBULANCE_RESPONSES if is_ambulance else _REFERRAL_RESPONSES).get(event)


# The others refer again instead (standard section 6).
UPDATED = VALIDATION_USE_CASES | CAD_USE_CASES
