"""What our people say when they respond to a case: frozen facts, and their form in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from bars_portal.exchange.fhir.codes import ARPPriority, EncounterStatus, RejectedReason
from referrals.cases.states import Labelled, ReplyKind
from referrals.parts.base import require
from referrals.parts.flags import RaisedFlag
from referrals.parts.places import CurrentPlace


class Disposition(Labelled):
    """What a validation leads to (standard section 9, workflow 4)."""

    DISPATCH = "dispatch", "An ambulance is needed"
    HEAR_AND_TREAT = "hear-and-treat", "No ambulance is needed: advice was given by telephone"
    ONWARD = "onward", "No ambulance is needed: the patient was referred onward"

    @property
    def action_needed(self) -> bool:
        """Whether the requester still has to do something: the plan stays active."""
        return self is Disposition.DISPATCH


@dataclass(frozen=True, slots=True)
class TriageCode:
    """One code of CarePlan.activity.outcomeCodeableConcept; `system` is a URI."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody has begun to work on it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Encounter.reasonCode: a code of rejected-reasons-bars with the person's own words."""

    reason: RejectedReason
    words: str = ""

    def __post_init__(self) -> None:
        explained = self.reason is not RejectedReason.OTHER or bool(self.words.strip())
        require(explained, "Say in your own words why the case is rejected.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a validation. `flags_ended` are fullUrls of flags of the request.

    `clock_start` is aware, and never typed: the decision computes it (policies.clock_start_of).

    `cad_id` names a new case at ambulance control, for category 1 and 2 only; `itk_asked`: the ambulance was
    asked for over ITK as well.
    """

    disposition: Disposition
    clock_start: datetime = field(compare=False)
    narrative: str
    priority: ARPPriority | None = None
    codes: tuple[TriageCode, ...] = ()
    place: CurrentPlace | None = None
    flags_raised: tuple[RaisedFlag, ...] = ()
    flags_ended: tuple[str, ...] = ()
    cad_id: str = ""
    itk_asked: bool = False

    def __post_init__(self) -> None:
        require(self.clock_start.utcoffset() is not None, "The clock start needs a time zone.")
        require(bool(self.narrative.strip()), "Say what was found and advised.")
        given = self.priority is not None or self.disposition is not Disposition.DISPATCH
        require(given, "An ambulance needs a category.")
        urgent = self.priority in (ARPPriority.C1, ARPPriority.C2)
        require(urgent or not self.cad_id, "Only category 1 and 2 have a new ambulance case.")

    @property
    def action_needed(self) -> bool:
        return self.disposition.action_needed


@dataclass(frozen=True, slots=True)
class NonAttendance:
    """Who was expected and did not come. A safeguarding code (safeguarding-codes-bars) raises a warning."""

    expected_from: datetime
    expected_until: datetime
    words: str = ""
    safeguarding_code: str = ""
    safeguarding_words: str = ""

    def __post_init__(self) -> None:
        aware = all(each.utcoffset() is not None for each in (self.expected_from, self.expected_until))
        require(aware, "The appointment needs a time zone.")
        require(self.expected_until > self.expected_from, "The appointment ends before it starts.")


@dataclass(frozen=True, slots=True)
class CadStatus:
    """How far an ambulance control is: its own Encounter planned, in progress or finished."""

    status: EncounterStatus
    words: str = ""

    def __post_init__(self) -> None:
        require(self.status in _CAD_STATUSES, "Ambulance control tells accepted, in progress or finished.")


_CAD_STATUSES = (EncounterStatus.PLANNED, EncounterStatus.IN_PROGRESS, EncounterStatus.FINISHED)

ResponseContent = Started | Rejection | Outcome | NonAttendance | CadStatus
_TYPES: Mapping[ReplyKind, type[Any]] = {
    ReplyKind.INTERIM: Started,
    ReplyKind.REJECTED: Rejection,
    ReplyKind.FULL: Outcome,
    ReplyKind.DID_NOT_ATTEND: NonAttendance,
    ReplyKind.CAD_STATUS: CadStatus,
    ReplyKind.CAD_REJECTION: Rejection,
}


def store_content(kind: ReplyKind, content: ResponseContent) -> dict[str, Any]:
    """As JSON keeps it. Raises TypeError when the content is not of this kind."""
    if not isinstance(content, _TYPES[kind]):
        raise TypeError(f"{type(content).__name__} is no content of {kind}")
    stored: dict[str, Any] = _adapter(kind).dump_python(content, mode="json")
    return stored


def read_content(kind: ReplyKind, stored: Mapping[str, Any]) -> ResponseContent:
    """The same back. Raises pydantic.ValidationError for what `store_content` did not write."""
    read: ResponseContent = _adapter(kind).validate_python(stored)
    return read


@cache
def _adapter(kind: ReplyKind) -> TypeAdapter[Any]:
    return TypeAdapter(_TYPES[kind])
