"""What is wrong and what is done about it: Condition, Task, Procedure, Communication."""

from bars_portal.exchange.fhir.bundle import Resource
from referrals.content import Condition, RequestContent, Task
from referrals.mapping.requests.frame import SNOMED, Entry, Frame, concept_to_fhir, filled
from referrals.mapping.requests.request import period

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_COMPLAINT = {"system": SNOMED, "code": "33962009", "display": "Presenting complaint"}
CALL_LOG = "Crew note or call log entry"


def problem_entries(frame: Frame, content: RequestContent) -> list[Entry]:
    entries: list[Entry] = []
    if content.condition is not None:
        entries.append((frame.url("condition"), _condition(frame, content.condition)))
    if content.task is not None:
        entries.append((frame.url("task"), _task(frame, content.task)))
    for number, concept in enumerate(content.procedures):
        entries.append((frame.url(f"procedure {number}"), _procedure(frame, concept_to_fhir(concept))))
    for number, words in enumerate(content.notes):
        entries.append((frame.url(f"note {number}"), _note(frame, words)))
    return entries


def _condition(frame: Frame, condition: Condition) -> Resource:
    return filled(
        {
            **frame.head("Condition"),
            "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active", "display": "Active"}]},
            "verificationStatus": {
                "coding": [{"system": _VERIFICATION, "code": "provisional", "display": "Provisional"}]
            },
            "category": [{"coding": [_COMPLAINT]}],
            "code": concept_to_fhir(condition.concept),
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "onsetDateTime": condition.onset.isoformat() if condition.onset else "",
        }
    )


def _task(frame: Frame, task: Task) -> Resource:
    restriction = filled({"period": period(task.period)})
    return filled(
        {
            **frame.head("Task"),
            "status": "requested",
            "intent": "plan",
            "code": concept_to_fhir(task.concept),
            "description": task.description,
            "for": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "authoredOn": frame.stamp,
            "restriction": restriction,
        }
    )


def _procedure(frame: Frame, code: Resource) -> Resource:
    return {
        **frame.head("Procedure"),
        "status": "in-progress",
        "code": code,
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "performedPeriod": {"start": frame.stamp},
    }


def _note(frame: Frame, words: str) -> Resource:
    return {
        **frame.head("Communication"),
        "status": "completed",
        "topic": {"text": CALL_LOG},
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "sent": frame.stamp,
        "payload": [{"contentString": words}],
    }
