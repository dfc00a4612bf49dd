"""A case in the words of clinicians; whatever is not known here is said to be so."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bars_portal.correspondence.history import Step
from bars_portal.exchange.fhir.codes import EncounterStatus, FlagCategory
from bars_portal.nhsuk import dates
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from directory.capability import use_cases_in_words
from referrals.cases.codes import priority_words
from referrals.cases.models import Case, CaseVersion
from referrals.cases.selectors import changes_of, versions_of
from referrals.cases.states import OPEN, CaseEvent, CaseStatus, Category

FLAGS: Mapping[str, str] = {
    FlagCategory.SAFEGUARDING: "Safeguarding",
    FlagCategory.SCENE_SAFETY: "Scene safety",
    FlagCategory.REJECTED_SERVICES: "Rejected services",
    FlagCategory.REASONABLE_ADJUSTMENT: "Reasonable adjustment",
    FlagCategory.INFECTION_RISK: "Infection risk",
    FlagCategory.REPEAT_CALLER: "Repeat caller",
    FlagCategory.RESPECT: "ReSPECT",
    FlagCategory.AGENCY_CONTACTED: "Agency contacted",
    FlagCategory.PATIENT_INFORMATION: "More about the patient",
}
# What a case keeps of its scene is only that it is not known to be safe: the words hold for both.
SAFEGUARDING, UNSAFE = "Safeguarding concern", "Scene unsafe or not known to be safe"
CATEGORIES: Mapping[Category, str] = {
    Category.REFERRAL: "Referral",
    Category.VALIDATION: "Validation request",
}
# Encounter.status of an ambulance control that has a case: of its resource, not of its people.
HOW_FAR: Mapping[str, str] = {
    EncounterStatus.PLANNED: "Waiting for a resource",
    EncounterStatus.IN_PROGRESS: "A resource is allocated",
    EncounterStatus.FINISHED: "The resource has cleared the scene",
}
# Tag colours of nhsuk.status_tag.
TONES: Mapping[CaseStatus, str] = {
    CaseStatus.REQUESTED: "working",
    CaseStatus.SENT: "waiting",
    CaseStatus.REFUSED: "failed",
    CaseStatus.UNKNOWN: "attention",
    CaseStatus.REVOKING: "working",
    CaseStatus.REVOKE_UNKNOWN: "attention",
    CaseStatus.RECEIVED: "waiting",
    CaseStatus.ACCEPTED: "working",
    CaseStatus.IN_PROGRESS: "working",
    CaseStatus.COMPLETED: "done",
    CaseStatus.REJECTED: "failed",
    CaseStatus.DID_NOT_ATTEND: "attention",
    CaseStatus.REVOKED: "neutral",
    CaseStatus.ENTERED_IN_ERROR: "neutral",
}
EVENTS: Mapping[str, str] = {
    CaseEvent.SEND: "Sent",
    CaseEvent.REQUEST: "Sent to the service",
    CaseEvent.CONFIRM: "The service has it",
    CaseEvent.REFUSE: "The service did not take it",
    CaseEvent.LOSE: "No clear answer came back",
    CaseEvent.CHECK_AGAIN: "Sent again to find out",
    CaseEvent.REQUEST_UPDATE: "Update sent",
    CaseEvent.CONFIRM_UPDATE: "The service has the update",
    CaseEvent.REFUSE_UPDATE: "The service did not take the update",
    CaseEvent.LOSE_UPDATE: "No clear answer to the update came back",
    CaseEvent.CHECK_UPDATE_AGAIN: "Update sent again to find out",
    CaseEvent.REQUEST_REVOKE: "Asked the service to let go of it",
    CaseEvent.CONFIRM_REVOKE: "The service has let go of it",
    CaseEvent.CONFIRM_IN_ERROR: "The service knows that it was entered in error",
    CaseEvent.REFUSE_REVOKE: "The service keeps it",
    CaseEvent.REFUSE_REVOKE_ACCEPTED: "The service keeps it",
    CaseEvent.REFUSE_REVOKE_STARTED: "The service keeps it",
    CaseEvent.LOSE_REVOKE: "No clear answer came back on taking it back",
    CaseEvent.CHECK_REVOKE_AGAIN: "Taking it back sent again to find out",
    CaseEvent.FIND_REVOKED: "Found taken back at the service",
    CaseEvent.RECEIVE: "Received",
    CaseEvent.RECEIVE_UPDATE: "The requester sent an update",
    CaseEvent.RECEIVE_REVOKE: "The requester took it back",
    CaseEvent.RECEIVE_ENTERED_IN_ERROR: "The requester entered it in error",
    CaseEvent.ACCEPT: "Accepted",
    CaseEvent.START: "Started",
    CaseEvent.REJECT: "Rejected",
    CaseEvent.COMPLETE: "Completed",
    CaseEvent.REVISE: "Outcome corrected",
    CaseEvent.RECORD_NON_ATTENDANCE: "The patient did not attend",
    CaseEvent.HEAR_ACCEPTED: "The service accepted it",
    CaseEvent.HEAR_STARTED: "The service started",
    CaseEvent.HEAR_REJECTED: "The service rejected it",
    CaseEvent.HEAR_COMPLETED: "The service sent its outcome",
    CaseEvent.HEAR_NON_ATTENDANCE: "The service says that the patient did not attend",
    CaseEvent.REFUSE_REPLY: "A reply came too late and was refused",
}


def warning_tags(*, safeguarding: bool, scene_unsafe: bool) -> list[str]:
    """The two that must strike the eye."""
    return [words for words, raised in ((SAFEGUARDING, safeguarding), (UNSAFE, scene_unsafe)) if raised]


def other_flags(codes: Iterable[str]) -> list[str]:
    """All other categories; one that is not known is shown as a warning all the same."""
    loud = (FlagCategory.SAFEGUARDING, FlagCategory.SCENE_SAFETY)
    return list(dict.fromkeys(FLAGS.get(code, "Other warning") for code in codes if code not in loud))


# Of a summary list: "key", and "value" or, for several things, "lines".
Row = dict[str, Any]


def told_row(key: str, words: str | Sequence[str]) -> Row:
    """One thing as words, several as a list of their own."""
    lines = [words] if isinstance(words, str) else list(words)
    return {"key": key, "lines": lines} if len(lines) > 1 else {"key": key, "value": "".join(lines)}


def lines_of(row: Row) -> list[str]:
    """The other way: each thing that a row says."""
    return row.get("lines") or [row["value"]]


def due_label(status: CaseStatus) -> str:
    """Nobody waits any more for what is over."""
    return "Due by" if status in OPEN else "Was due by"


def use_case_words(code: str) -> str:
    return next(iter(use_cases_in_words([code])), "") if code else ""


def after_interim(case: Case) -> bool:
    """The consultation of our validation has begun: the guide wants no update after that."""
    return case.category is Category.VALIDATION and case.status == CaseStatus.IN_PROGRESS


def is_breached(status: CaseStatus, breach_at: datetime | None, now: datetime) -> bool:
    return breach_at is not None and breach_at < now and status in OPEN


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

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A GUID alone, or as the end of an address; never one inside a sentence.
_GUID = re.compile(rf"(?:urn:uuid:|urn:oid:|https?://\S*/|[A-Za-z]+/)?{UUID}(?:/_history/\d+)?")


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text.strip()) is not None


def asked_rows(case: Case) -> list[Row]:
    """What is asked, by whom and by when; what was not said and matters reads "Not stated"."""
    sender = case.requester_name or case.sender_name or case.requester_ods_code or case.sender_ods_code
    rows = [
        ("What is asked", use_case_words(case.use_case)),
        ("Service", case.service.name),
        ("Priority", priority_words(case.priority)),
        (due_label(CaseStatus(case.status)), dates.format_datetime(case.breach_at) if case.breach_at else ""),
        ("Sent by", sender),
        ("Their case number", "" if is_guid(case.case_number) else case.case_number),
        ("Our reference", case.reference),
        ("Written", dates.format_datetime(case.authored_on) if case.authored_on else ""),
        ("Received", dates.format_datetime(case.created_at)),
    ]
    # A priority of another kind, such as a disposition, stands at a glance: no "Not stated" here beside it.
    return [{"key": key, "value": value} for key, value in rows if case.priority or key != "Priority"]


@dataclass(frozen=True)
class CasePage:
    """What every page of a case shows at its top."""

    case: Case
    now: datetime

    @property
    def status(self) -> str:
        return CaseStatus(self.case.status).label

    @property
    def tone(self) -> str:
        return TONES[CaseStatus(self.case.status)]

    @property
    def kind(self) -> str:
        return CATEGORIES[self.case.category]

    @property
    def banner(self) -> PatientBanner:
        return banner(self.case.patient)

    @property
    def patient(self) -> list[Row]:
        return patient_rows(self.case.patient)

    @property
    def warnings(self) -> list[str]:
        return warning_tags(safeguarding=self.case.safeguarding, scene_unsafe=self.case.scene_unsafe)

    @property
    def flags(self) -> list[str]:
        return other_flags(self.case.flags)

    @property
    def due(self) -> datetime | None:
        return self.case.breach_at if self.case.status in OPEN else None

    @property
    def breached(self) -> bool:
        return is_breached(CaseStatus(self.case.status), self.case.breach_at, self.now)
