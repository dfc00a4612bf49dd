"""Codes of a case in the words of clinicians; whatever is not known here is said to be so."""

from collections.abc import Iterable, Mapping

from bars_portal.exchange.fhir.codes import ARPPriority, FlagCategory
from referrals.states import CaseEvent, CaseStatus, Category

NOT_STATED = "Not stated"
_ARP = ARPPriority
PRIORITIES: Mapping[str, str] = {
    _ARP.C1: "Category 1: life-threatening",
    _ARP.C2: "Category 2: emergency",
    _ARP.C3: "Category 3: urgent",
    _ARP.C4: "Category 4: less urgent",
    _ARP.C4T: "Category 4: less urgent, transport",
    _ARP.C5: "Category 5: no ambulance",
    _ARP.HCP1: "Health professional, level 1: life-threatening",
    _ARP.HCP2: "Health professional, level 2: emergency",
    _ARP.HCP3: "Health professional, level 3: urgent",
    _ARP.HCP4: "Health professional, level 4: less urgent",
    _ARP.HCP4T: "Health professional, level 4: less urgent, transport",
    _ARP.IFT1: "Between hospitals, level 1: life-threatening",
    _ARP.IFT2: "Between hospitals, level 2: emergency",
    _ARP.IFT3: "Between hospitals, level 3: urgent",
    _ARP.IFT4: "Between hospitals, level 4: less urgent",
    "stat": "Immediate",
    "asap": "As soon as possible",
    "urgent": "Urgent",
    "routine": "Routine",
}
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
SAFEGUARDING, UNSAFE = "Safeguarding concern", "Scene not known to be safe"
CATEGORIES: Mapping[Category, str] = {
    Category.REFERRAL: "Referral",
    Category.VALIDATION: "Validation request",
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


def priority_words(code: str) -> str:
    """A code that nobody knows is left to staff."""
    return PRIORITIES.get(code, "Other priority") if code else NOT_STATED


def warning_tags(*, safeguarding: bool, scene_unsafe: bool) -> list[str]:
    """The two that must strike the eye."""
    return [words for words, raised in ((SAFEGUARDING, safeguarding), (UNSAFE, scene_unsafe)) if raised]


def other_flags(codes: Iterable[str]) -> list[str]:
    """All other categories; one that is not known is shown as a warning all the same."""
    loud = (FlagCategory.SAFEGUARDING, FlagCategory.SCENE_SAFETY)
    return list(dict.fromkeys(FLAGS.get(code, "Other warning") for code in codes if code not in loud))


def short_name(family_name: str, given_names: str) -> str:
    return ", ".join(part for part in (family_name.upper(), given_names) if part) or "Name not known"
