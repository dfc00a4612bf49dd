"""ServiceRequest and Task: what is asked, of whom and by when; advice given belongs to the plan."""

from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import date_words

_FIELDS = {
    "category": "What is asked",
    "code": "Service",
    "orderDetail": "Details",
    "status": "Status",
    "intent": "Kind of request",
    "priority": "Priority",
    "authoredOn": "Asked",
    "occurrenceDateTime": "When",
    "requester": "Asked by",
    "performer": "Asked of",
    "performerType": "Asked of (kind)",
    "reasonCode": "Reason",
    "reasonReference": "Because of",
    "locationReference": "Where",
    "locationCode": "Where (kind)",
    "basedOn": "Based on",
    "replaces": "Replaces",
    "supportingInfo": "See also",
    "identifier": "Number",
    "note": "Note",
}
_TASK = {
    "code": "Task",
    "description": "Description",
    "status": "Status",
    "businessStatus": "State",
    "statusReason": "Reason of the status",
    "intent": "Kind of task",
    "priority": "Priority",
    "authoredOn": "Written",
    "requester": "Asked by",
    "owner": "Owner",
    "focus": "Concerns",
    "reasonCode": "Reason",
    "executionPeriod": "Carried out",
    "identifier": "Number",
    "note": "Note",
}


def present_request(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _FIELDS), *_times(part), *message.about(part), *message.case(part)]
    advice = row("Advice given", lines_of(part, "patientInstruction", "Advice given"))
    request = make_item(part, "Request", rows)
    advised = [("plan", Item("Advice to the patient", tuple(advice)))] if advice else []
    return [("request", request), *advised]


def _times(part: Part) -> list[Row]:
    """occurrencePeriod.end is when the request breaches (standard section 9, workflow 4)."""
    period = part.part("occurrencePeriod")
    start, end = date_words(period.text("start")), date_words(period.text("end"))
    return [*row("From", [start]), *row("Due by", [end])]


def present_task(part: Part, message: Message) -> list[Placed]:
    restricted = rows_of(part.part("restriction"), {"period": "Allowed", "repetitions": "Times allowed"})
    rows = [*rows_of(part, _TASK), *restricted, *message.about(part, "for"), *message.case(part)]
    return [("plan", make_item(part, "Task", rows))]
