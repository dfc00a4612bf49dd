"""CarePlan: what the assessment came to, and the plan itself."""

import re

from referrals.presenters.message.concepts import concept_lines
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import line_ends

NARRATIVE = "Assessment narrative"
# Longer texts than this are no labels.
_LABEL_LENGTH = 80
# "Pathways Assessment SD Code" says what the code is, not what is wrong: we have plain words for that.
_NAMES_A_CODE = re.compile(rf"^(?=.{{1,{_LABEL_LENGTH}}}$).*\bcode\b", re.IGNORECASE)
_SYSTEM_LABELS = {
    "pathways-sd-codes": "Symptom discriminator",
    "pathways-sg-codes": "Symptom group (chief concern)",
    "pathways-dx-codes": "Disposition",
    "pathways-pathway-codes": "Pathway (presenting complaint)",
    "arp-priority-codes": "Ambulance response priority",
    "ampds-dispatch-codes": "Chief concern (AMPDS)",
}
_FIELDS = {
    "status": "Status",
    "intent": "Kind of plan",
    "title": "Title",
    "description": "Description",
    "category": "Category",
    "period": "Period",
    "created": "Written",
    "author": "Author",
    "contributor": "Contributor",
    "addresses": "Because of",
    "goal": "Goal",
    "supportingInfo": "See also",
    "basedOn": "Based on",
    "replaces": "Replaces",
    "identifier": "Number",
    "note": "Note",
}
_ACTIVITY = {"reference": "To do", "outcomeReference": "Outcome", "progress": "Progress"}
_DETAIL = {
    "code": "To do",
    "status": "State",
    "description": "Description",
    "scheduled[x]": "When",
    "location": "Where",
    "performer": "By whom",
    "reasonCode": "Reason",
}


def present_plan(part: Part, message: Message) -> list[Placed]:
    activities = part.parts("activity")
    outcomes = [
        outcome
        for activity in activities
        for concept in activity.parts("outcomeCodeableConcept")
        for outcome in _outcome(concept)
    ]
    rows = [*rows_of(part, _FIELDS), *_steps(activities), *message.about(part), *message.case(part)]
    plan = make_item(part, "Care plan", rows)
    assessed = [("assessment", Item("Outcome of the assessment", tuple(outcomes)))] if outcomes else []
    return [*assessed, ("plan", plan)]


def _outcome(concept: Part) -> list[Row]:
    """The sender's own short text is the label of a code; words without a code are the narrative."""
    text = concept.peek("text")
    if not concept.parts("coding"):
        return row(NARRATIVE, [line_ends(concept.text("text"))])
    known = _system_label(concept)
    if known and _NAMES_A_CODE.search(text):
        concept.notes.code(f"{known}: called by the sender", concept.text("text"))
        return row(known, lines_of(concept, "coding", known))
    label = text if 0 < len(text) <= _LABEL_LENGTH else known or "Outcome"
    lines = concept_lines(concept, label)
    return row(label, [line for line in lines if line != label] or lines)


def _system_label(concept: Part) -> str:
    systems = (each.peek("system").rsplit("/", 1)[-1] for each in concept.parts("coding"))
    return next((_SYSTEM_LABELS[each] for each in systems if each in _SYSTEM_LABELS), "")


def _steps(activities: list[Part]) -> list[Row]:
    rows: list[Row] = []
    for activity in activities:
        rows += rows_of(activity, _ACTIVITY)
        rows += rows_of(activity.part("detail"), _DETAIL)
    return rows
