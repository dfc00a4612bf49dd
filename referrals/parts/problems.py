"""What is wrong and what is done about it: Condition, Task, Procedure, Communication."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_dict, codings, dicts
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.codes import STRICT, Concept, Moment, Words, WordsOrNone
from referrals.cases.wire import instant
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


@checked.dataclass(frozen=True, config=STRICT)
class Procedure:
    """What is being done for the patient; `began_at` is when, for example, CPR began."""

    concept: Concept
    began_at: Moment | None = None


@checked.dataclass(frozen=True, config=STRICT)
class Note:
    """An entry of the call log; `made_at` is when it was written down, not when it was sent."""

    words: Words
    made_at: Moment | None = None


_COMPLAINT = {"system": SNOMED, "code": "33962009", "display": "Presenting complaint"}
CALL_LOG = "Crew note or call log entry"


def problem_entries(
    frame: Frame,
    *,
    condition: Condition | None,
    task: Task | None,
    orders: bool,
    procedures: Sequence[Procedure],
    notes: Sequence[Note],
) -> list[Entry]:
    """`orders`: the task is an order (Task.intent), not only planned."""
    entries: list[Entry] = []
    if condition is not None:
        entries.append((frame.url("condition"), _condition(frame, condition)))
    if task is not None:
        entries.append((frame.url("task"), _task(frame, task, "order" if orders else "plan")))
    for number, procedure in enumerate(procedures):
        entries.append((frame.url(f"procedure {number}"), _procedure(frame, procedure)))
    for number, note in enumerate(notes):
        entries.append((frame.url(f"note {number}"), _note(frame, note)))
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


def _procedure(frame: Frame, procedure: Procedure) -> Resource:
    began = {"start": format_instant(procedure.began_at)} if procedure.began_at else {}
    return filled(
        {
            **frame.head("Procedure"),
            "status": "in-progress",
            "code": concept_to_fhir(procedure.concept),
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "performedPeriod": began,
        }
    )


def _note(frame: Frame, note: Note) -> Resource:
    return {
        **frame.head("Communication"),
        "status": "completed",
        "topic": {"text": CALL_LOG},
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "sent": format_instant(note.made_at or frame.now),
        "payload": [{"contentString": note.words}],
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


def carried_procedures(bundle: MessageBundle) -> tuple[Procedure, ...]:
    return each_tried(_read_procedure, standing(bundle.of_type("Procedure")))


def _read_procedure(procedure: Resource) -> Procedure:
    began = as_dict(procedure.get("performedPeriod")).get("start") or procedure.get("performedDateTime")
    return Procedure(concept_of(procedure.get("code")), _moment(began))


def carried_notes(bundle: MessageBundle) -> tuple[Note, ...]:
    """Communication.payload: the log of the call."""
    return each_tried(_read_note, bundle.of_type("Communication"))


def _read_note(communication: Resource) -> Note:
    words = texts_of(communication.get("payload"), "contentString")
    return Note(words, _moment(communication.get("sent")))


def _moment(value: object) -> datetime | None:
    """Only with its time of day: a day alone is no moment."""
    return instant(value)
