"""The message itself, what is asked, the plan, the cases of both sides, and appointments."""

import re

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, EncounterStatus
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.exchange.fhir.rules.case import journey_id, requester_encounter, use_case_of
from referrals.message_page.items import Message, Placed, make_item, row, rows_of, telecom_rows
from referrals.message_page.reader import Item, Part, Row
from referrals.message_page.values import code_line, coding_line, concept_lines, lines_of
from referrals.message_page.words import date_words, line_ends, stands
from referrals.parts.assessment import kind_and_words

_PEOPLE = {"sender": "Sender", "author": "Author", "enterer": "Entered by", "responsible": "Responsible"}
_SOURCE = {
    "name": "Name of the sending system",
    "software": "Software of the sender",
    "version": "Version of the software",
}


def present_header(part: Part, message: Message) -> list[Placed]:
    event = [coding_line(each, "Event") for each in part.parts("eventCoding")]
    reason = lines_of(part, "reason", "Reason")
    rows = [*row("Kind of message", event), *row("Reason", reason), *rows_of(part, _PEOPLE)]
    rows += [*_source(part.part("source")), *_destinations(part), *_answers(part)]
    if definition := part.text("definition"):
        part.notes.code("Definition", definition)
    return [("message", make_item(part, "How it was sent", rows))]


def present_bundle(part: Part, message: Message) -> list[Placed]:
    meta = part.part("meta")
    rows = [
        *row("Made", [date_words(part.text("timestamp"))]),
        *row("Version of the standard", [meta.text("versionId")]),
        *row("Last updated", [date_words(meta.text("lastUpdated"))]),
    ]
    journey = "Part of a journey" if journey_id(message.bundle) else "Not stated"
    return [("message", Item("This message", (*rows, Row("Journey", (journey,)))))]


def _source(source: Part) -> list[Row]:
    address = _service(source.text("endpoint"))
    return [*rows_of(source, _SOURCE), *row("Answers go to", [address]), *telecom_rows(source, "contact")]


def _destinations(part: Part) -> list[Row]:
    rows: list[Row] = []
    for each in part.parts("destination"):
        rows += row("Sent to", [_service(each.text("endpoint")), *lines_of(each, "receiver", "Sent to")])
        rows += rows_of(each, {"name": "Name of the receiving system"})
    return rows


def _answers(part: Part) -> list[Row]:
    label, response = "Answers an earlier message", part.part("response")
    return row(label, [code_line(each, response, label) for each in response.texts("code")])


def _service(address: str) -> str:
    """An endpoint by the number of its service; anything else as it was sent."""
    try:
        return f"Service ID {ServiceID.from_token(address).value}"
    except InvalidIdentifier:
        return address


_REQUEST = {
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
    rows = [*rows_of(part, _REQUEST), *_times(part), *message.about(part), *message.case(part)]
    advice = row("Advice given", lines_of(part, "patientInstruction", "Advice given"))
    request = make_item(part, "Request", rows)
    advised = [("plan", Item("Advice to the patient", tuple(advice)))] if advice else []
    return [("request", request), *advised]


def _times(part: Part) -> list[Row]:
    """occurrencePeriod.end is when the request breaches (standard section 9, workflow 4)."""
    period = part.part("occurrencePeriod")
    start, end = date_words(period.text("start")), date_words(period.text("end"))
    label = "Due by" if stands(part.value) else "Was due by"
    return [*row("From", [start]), *row(label, [end])]


def present_task(part: Part, message: Message) -> list[Placed]:
    restricted = rows_of(part.part("restriction"), {"period": "Allowed", "repetitions": "Times allowed"})
    rows = [*rows_of(part, _TASK), *restricted, *message.about(part, "for"), *message.case(part)]
    return [("plan", make_item(part, "Task", rows))]


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
_PLAN = {
    "status": "Status",
    "intent": "Kind of plan",
    "title": "Title",
    "description": "Description",
    "category": "Category",
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
    rows = [*_span(part, "Disposition reached (clock start)", "Until"), *rows_of(part, _PLAN)]
    rows += [*_steps(activities), *message.about(part), *message.case(part)]
    plan = make_item(part, "Care plan", rows)
    assessed = [("assessment", Item("Outcome of the assessment", tuple(outcomes)))] if outcomes else []
    return [*assessed, ("plan", plan)]


def _outcome(concept: Part) -> list[Row]:
    """The sender's own short text is the label of a code; words without a code are the narrative."""
    text = concept.peek("text")
    kind, words = kind_and_words(text)
    if not concept.parts("coding"):
        said = line_ends(concept.text("text"))
        return row(kind.label, [line_ends(words)]) if kind and words else row(NARRATIVE, [said])
    if kind is not None:
        concept.text("text")
        return row(kind.label, [*lines_of(concept, "coding", kind.label), line_ends(words)])
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


_ENCOUNTER = {
    "identifier": "Number",
    "status": "Status",
    "class": "Kind of contact",
    "type": "Type",
    "priority": "Priority",
    "serviceType": "Service",
    "reasonCode": "Reason",
    "reasonReference": "See also",
    "serviceProvider": "Provider",
    "basedOn": "Based on",
    "partOf": "Part of",
    "appointment": "Appointment",
}


def present_encounter(part: Part, message: Message) -> list[Placed]:
    asks = part.value is requester_encounter(message.bundle)
    began = "Call connected, or contact made" if asks else "Began"
    rows = [
        *rows_of(part, _ENCOUNTER),
        *_span(part, began, "Ended"),
        *_history(part, asks and use_case_of(message.bundle) in CAD_USE_CASES),
    ]
    rows += [*_places(part), *_people(part), *message.about(part)]
    return [("assessment", make_item(part, _title(part, message), rows))]


def _title(part: Part, message: Message) -> str:
    """Whose case it is can be told only where the request names its own."""
    asks = requester_encounter(message.bundle)
    name = message.name(part).removeprefix("case ").removeprefix("the case")
    whose = "Case of the requester" if part.value is asks else "Case of the responder"
    return ("Case" if asks is None else whose) + (f": {name}" if name else "")


def _span(part: Part, start: str, end: str) -> list[Row]:
    """Both ends of a period by what each means."""
    period = part.part("period")
    ends = ((start, period.text("start")), (end, period.text("end")))
    return [each for label, text in ends if text for each in row(label, [date_words(text)])]


# What the times of Encounter.statusHistory are between ambulance controls (Application 6).
_CALL = {
    EncounterStatus.PLANNED.value: "Call reached the network (BTStartTime)",
    EncounterStatus.ARRIVED.value: "Call connected (T0)",
    EncounterStatus.IN_PROGRESS.value: "Call answered (T1)",
}


def _history(part: Part, is_call: bool) -> list[Row]:
    """Of a call between ambulance controls each status is a time; else it is how far a case was."""
    rows: list[Row] = []
    for each in part.parts("statusHistory"):
        label = _CALL.get(each.peek("status"), "") if is_call else ""
        rows += row(label or "Earlier", [_together(each, "status", "period")])
    return rows


def _places(part: Part) -> list[Row]:
    """Active is a place that is confirmed, since T2; a provisional one has no status."""
    rows: list[Row] = []
    for each in part.parts("location"):
        label = "Where (confirmed)" if each.peek("status") == "active" else "Where"
        rows += row(label, [_together(each, "location", "status", "period")])
    return rows


def _people(part: Part) -> list[Row]:
    people = part.parts("participant")
    return row("Who", [_together(each, "individual", "type", "period") for each in people])


def _together(part: Part, *names: str) -> str:
    return ", ".join(line for name in names for line in lines_of(part, name, "Earlier"))


_APPOINTMENT = {
    "status": "Status",
    "start": "Begins",
    "end": "Ends",
    "description": "Reason",
    "serviceCategory": "Use case",
    "serviceType": "Service",
    "specialty": "Specialty",
    "appointmentType": "Kind of appointment",
    "reasonCode": "Reason (coded)",
    "cancelationReason": "Reason of the cancellation",
    "minutesDuration": "Minutes",
    "priority": "Priority",
    "created": "Made",
    "comment": "Comment",
    "patientInstruction": "Instruction to the patient",
    "slot": "Slot",
    "basedOn": "Based on",
    "supportingInformation": "See also",
    "identifier": "Number",
}
_SLOT = {
    "status": "Status",
    "start": "Begins",
    "end": "Ends",
    "serviceCategory": "Category",
    "serviceType": "Service",
    "specialty": "Specialty",
    "appointmentType": "Kind of appointment",
    "schedule": "Diary",
    "comment": "Comment",
    "identifier": "Number",
}
_SCHEDULE = {
    "serviceCategory": "Category",
    "serviceType": "Service",
    "specialty": "Specialty",
    "actor": "Of",
    "planningHorizon": "Period",
    "comment": "Comment",
    "active": "In use",
    "identifier": "Number",
}


def present_appointment(part: Part, message: Message) -> list[Placed]:
    people = part.parts("participant")
    who = [", ".join(line for name in _WHO for line in lines_of(each, name, "Who")) for each in people]
    item = make_item(part, "Appointment", [*rows_of(part, _APPOINTMENT), *row("Who", who)])
    return [("appointment", item)]


_WHO = ("actor", "status", "type", "required", "period")


def present_slot(part: Part, message: Message) -> list[Placed]:
    return [("appointment", make_item(part, "Slot", rows_of(part, _SLOT)))]


def present_schedule(part: Part, message: Message) -> list[Placed]:
    return [("appointment", make_item(part, "Diary", rows_of(part, _SCHEDULE)))]
