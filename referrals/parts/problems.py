"""What is wrong and what is done about it: Condition, Task, Procedure, Communication."""

from collections.abc import Sequence
from datetime import date

from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import codings, dicts
from referrals.cases.codes import STRICT, Concept, WordsOrNone
from referrals.parts.base import (
    SNOMED,
    Frame,
    TimeFrame,
    concept_of,
    concept_to_fhir,
    date_of,
    each_tried,
    filled,
    named_concept,
    period,
    standing,
    state,
    texts_of,
)


@checked.dataclass(frozen=True, config=STRICT)
class Condition:
    """The presenting complaint as a Condition: pharmacy and ambulance."""

    concept: Concept
    onset: date | None = None


@checked.dataclass(frozen=True, config=STRICT)
class Task:
    """What is asked of a pharmacy or a crew, and when (Task.restriction.period)."""

    concept: Concept
    description: WordsOrNone = ""
    period: TimeFrame | None = None


_COMPLAINT = {"system": SNOMED, "code": "33962009", "display": "Presenting complaint"}
CALL_LOG = "Crew note or call log entry"


def problem_entries(
    frame: Frame,
    *,
    condition: Condition | None,
    task: Task | None,
    orders: bool,
    procedures: Sequence[Concept],
    notes: Sequence[str],
) -> list[Entry]:
    """`orders`: the task is an order (Task.intent), not only planned."""
    entries: list[Entry] = []
    if condition is not None:
        entries.append((frame.url("condition"), _condition(frame, condition)))
    if task is not None:
        entries.append((frame.url("task"), _task(frame, task, "order" if orders else "plan")))
    for number, concept in enumerate(procedures):
        entries.append((frame.url(f"procedure {number}"), _procedure(frame, concept_to_fhir(concept))))
    for number, words in enumerate(notes):
        entries.append((frame.url(f"note {number}"), _note(frame, words)))
    return entries


def _condition(frame: Frame, condition: Condition) -> Resource:
    return filled(
        {
            **frame.head("Condition"),
            "clinicalStatus": state("condition-clinical", "active"),
            "verificationStatus": state("condition-ver-status", "provisional"),
            "category": [{"coding": [_COMPLAINT]}],
            "code": named_concept(condition.concept),
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "onsetDateTime": condition.onset.isoformat() if condition.onset else "",
        }
    )


def _task(frame: Frame, task: Task, intent: str) -> Resource:
    restriction = filled({"period": period(task.period)})
    return filled(
        {
            **frame.head("Task"),
            "status": "requested",
            "intent": intent,
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


def carried_condition(bundle: MessageBundle) -> Condition | None:
    """The presenting complaint, else the first condition."""
    found = sorted(standing(bundle.of_type("Condition")), key=lambda each: not _is_complaint(each))
    return next(iter(each_tried(_read_condition, found)), None)


def _read_condition(condition: Resource) -> Condition:
    return Condition(concept_of(condition.get("code")), date_of(condition.get("onsetDateTime")))


def _is_complaint(condition: Resource) -> bool:
    found = codings(list(dicts(condition.get("category"))))
    return any(each.get("code") == _COMPLAINT["code"] for each in found)


def carried_procedures(bundle: MessageBundle) -> tuple[Concept, ...]:
    return each_tried(concept_of, (each.get("code") for each in standing(bundle.of_type("Procedure"))))


def carried_notes(bundle: MessageBundle) -> tuple[str, ...]:
    """Communication.payload: the log of the call."""
    found = (texts_of(each.get("payload"), "contentString") for each in bundle.of_type("Communication"))
    return tuple(filter(None, found))
