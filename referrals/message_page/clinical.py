"""Conditions, procedures, medication, allergies, observations and questionnaires."""

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_text, codings
from referrals.message_page.items import Message, Placed, extension_lines, make_item, row, rows_of
from referrals.message_page.reader import Item, Part, Row
from referrals.message_page.values import distinct, lines_of
from referrals.message_page.words import concept_name, sentence

_CONDITION = {
    "code": "Condition",
    "category": "Category",
    "clinicalStatus": "State",
    "verificationStatus": "Certainty",
    "severity": "Severity",
    "bodySite": "Where on the body",
    "onset[x]": "Began",
    "abatement[x]": "Ended",
    "recordedDate": "Recorded",
    "recorder": "Recorded by",
    "asserter": "Stated by",
    "identifier": "Number",
    "note": "Note",
}
_PROCEDURE = {
    "code": "Procedure",
    "status": "Status",
    "statusReason": "Reason of the status",
    "category": "Category",
    "performed[x]": "Begun",
    "reasonCode": "Reason",
    "bodySite": "Where on the body",
    "outcome": "Outcome",
    "complication": "Complication",
    "location": "Place",
    "recorder": "Recorded by",
    "asserter": "Stated by",
    "identifier": "Number",
    "note": "Note",
}
_COMMUNICATION = {
    "status": "Status",
    "category": "Category",
    "priority": "Priority",
    "sent": "Written down",
    "received": "Received",
    "sender": "From",
    "recipient": "To",
    "reasonCode": "Reason",
    "about": "Concerns",
    "identifier": "Number",
    "note": "Note",
}


def present_condition(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _CONDITION), *message.about(part), *message.case(part)]
    return [("assessment", make_item(part, message.title(part), rows))]


def present_procedure(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _PROCEDURE), *message.about(part), *message.case(part)]
    return [("treatment", make_item(part, message.title(part), rows))]


def present_communication(part: Part, message: Message) -> list[Placed]:
    """The topic is the title; what was said comes first."""
    said = [row for each in part.parts("payload") for row in rows_of(each, {"content[x]": "Said"})]
    rows = [*said, *rows_of(part, {"topic": "Kind of note"} | _COMMUNICATION)]
    return [("treatment", make_item(part, "Note", [*rows, *message.about(part), *message.case(part)]))]


_MEDICATION = {
    "medication[x]": "Medication",
    "status": "Status",
    "statusReason": "Reason of the status",
    "category": "Category",
    "effective[x]": "Taken since or when",
    "dateAsserted": "Stated on",
    "informationSource": "Stated by",
    "reasonCode": "Reason",
    "reasonReference": "Because of",
    "identifier": "Number",
    "note": "Note",
}
_DOSAGE = {
    "text": "Dosage",
    "patientInstruction": "Instruction to the patient",
    "additionalInstruction": "Further instruction",
    "asNeeded[x]": "As needed for",
    "site": "Site",
    "route": "Route",
    "method": "Method",
    "maxDosePerAdministration": "Most at a time",
}
_UNITS = {
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "wk": "weeks",
    "mo": "months",
    "a": "years",
}
_REPEAT = {
    "count": "Count",
    "when": "When",
    "bounds[x]": "Within",
}


def present_medication(part: Part, message: Message) -> list[Placed]:
    title = concept_name(part.value.get("medicationCodeableConcept")) or "Medication"
    dosage = [row for each in part.parts("dosage") for row in _dosage(each)]
    rows = [*rows_of(part, _MEDICATION), *dosage, *message.about(part), *message.case(part, "context")]
    return [("medication", make_item(part, title, rows))]


def _dosage(part: Part) -> list[Row]:
    rows = rows_of(part, _DOSAGE)
    for each in part.parts("doseAndRate"):
        rows += rows_of(each, {"dose[x]": "Dose", "rate[x]": "Rate", "type": "Kind of dose"})
    repeat = part.part("timing").part("repeat")
    return [*rows, *row("How often", [_how_often(repeat)]), *rows_of(repeat, _REPEAT)]


def _how_often(repeat: Part) -> str:
    """4 times in 1 days: never rounded to something neater."""
    times, period, unit = (repeat.text(name) for name in ("frequency", "period", "periodUnit"))
    if unit:
        repeat.notes.code("How often: unit", unit)
    span = f"{period} {_UNITS.get(unit, unit)}".strip()
    if period == "1":
        span = span.removesuffix("s")
    return " in ".join(filter(None, (f"{times} times" if times else "", span)))


_ALLERGY = {
    "code": "Substance",
    "clinicalStatus": "State",
    "verificationStatus": "Certainty",
    "type": "Type",
    "category": "Category",
    "criticality": "Risk",
    "onset[x]": "Began",
    "recordedDate": "Recorded",
    "recorder": "Recorded by",
    "asserter": "Stated by",
    "lastOccurrence": "Last occurrence",
    "identifier": "Number",
    "note": "Note",
}
_REACTION = {
    "manifestation": "Reaction",
    "severity": "Severity of the reaction",
    "substance": "To",
    "description": "Description of the reaction",
    "onset": "Date of the reaction",
    "exposureRoute": "Route of exposure",
    "note": "Note on the reaction",
}


def present_allergy(part: Part, message: Message) -> list[Placed]:
    reactions = [row for each in part.parts("reaction") for row in rows_of(each, _REACTION)]
    rows = [*rows_of(part, _ALLERGY), *reactions, *message.about(part, "patient"), *message.case(part)]
    return [("allergies", make_item(part, message.title(part), rows))]


_OBSERVATION = {
    "value[x]": "Value",
    "dataAbsentReason": "Why there is no value",
    "interpretation": "Interpretation",
    "status": "Status",
    "category": "Category",
    "effective[x]": "Observed",
    "issued": "Made known",
    "performer": "Observed by",
    "bodySite": "Where on the body",
    "method": "Method",
    "focus": "Concerns",
    "identifier": "Number",
    "note": "Note",
}
_COMPONENT = {"code": "Part", "value[x]": "Value of the part", "interpretation": "Interpretation of the part"}
_HOUSEHOLD = HouseholdComposition.LIVES_ALONE.system


def present_observation(part: Part, message: Message) -> list[Placed]:
    label = "Household" if _is_household(part.value) else "Observation"
    title = concept_name(part.value.get("code")) or "Observation"
    components = [row for each in part.parts("component") for row in rows_of(each, _COMPONENT)]
    rows = [*rows_of(part, {"code": label} | _OBSERVATION), *components]
    item = make_item(part, title, [*rows, *message.about(part), *message.case(part)])
    return [("observations", item)]


def _is_household(observation: Resource) -> bool:
    systems = (as_text(each.get("system")) for each in codings(observation.get("code")))
    return any(same_system(each, _HOUSEHOLD) or "LivingArrangement" in each for each in systems)


_REASON = "questionnaireresponse-reason"
# The first question's linkId, or how the reason begins, decides where the answers stand.
_GROUPS = {"rejectedservices": "rejected", "additionalsources": "sources"}
_REASONS = {"rejected services": "rejected", "additional information sources": "sources"}
_QUESTIONNAIRE_RESPONSE = {
    "status": "Status",
    "authored": "Answered",
    "author": "Written by",
    "source": "Told by",
    "identifier": "Number",
    "basedOn": "Based on",
}


def present_answers(part: Part, message: Message) -> list[Placed]:
    reason = extension_lines(part, _REASON, "About")
    canonical = part.text("questionnaire")
    if canonical:
        part.notes.code("Questionnaire", canonical)
    questions = part.parts("item")
    rows = [
        *_answers(questions),
        *rows_of(part, _QUESTIONNAIRE_RESPONSE),
        *message.about(part),
        *message.case(part),
    ]
    title = next(iter(reason), "") or sentence(canonical.rsplit("/", 1)[-1]) or "Questionnaire"
    item = make_item(part, title, [*rows, *row("About", reason[1:])], parts=list(_sections(questions)))
    return [(_group(questions, title), item)]


def _group(questions: list[Part], title: str) -> str:
    first = questions[0].peek("linkId").casefold() if questions else ""
    named = (group for start, group in _REASONS.items() if title.casefold().startswith(start))
    return _GROUPS.get(first) or next(named, "questionnaires")


def _answers(questions: list[Part]) -> list[Row]:
    """A row for each question that was answered, or left open."""
    rows: list[Row] = []
    for question in questions:
        nested = question.parts("item")
        answers = question.parts("answer")
        if answers or not nested:
            label = _label(question)
            lines = [line for each in answers for line in lines_of(each, "value[x]", label)]
            rows.append(Row(label, tuple(lines)))
            rows += _answers([inner for each in answers for inner in each.parts("item")])
    return rows


def _sections(questions: list[Part]) -> Iterator[Item]:
    """Questions that hold others: Service1 becomes a part of its own, "Service 1"."""
    for question in questions:
        nested = question.parts("item")
        if nested:
            yield Item(_label(question), tuple(_answers(nested)), tuple(_sections(nested)))


def _label(question: Part) -> str:
    link = question.text("linkId")
    words = sentence(link)
    numbered = words.rstrip("0123456789")
    if numbered and numbered != words:
        words = f"{numbered} {words[len(numbered) :]}"
    return question.text("text") or words or "Question"


_QUESTIONNAIRE = {
    "description": "Description",
    "name": "Name",
    "version": "Version",
    "status": "Status",
    "experimental": "Experimental",
    "date": "Dated",
    "publisher": "Publisher",
    "identifier": "Number",
    "purpose": "Purpose",
    "url": "Address",
}
_QUESTION = {"type": "Kind of answer", "required": "Must be answered", "repeats": "More than one answer"}


def present_questionnaire(part: Part, message: Message) -> list[Placed]:
    title = part.text("title") or message.title(part)
    questions = [_question(each) for each in part.parts("item")]
    item = make_item(
        part, f"{title}: as published", rows_of(part, _QUESTIONNAIRE), parts=questions, is_folded=True
    )
    return [("questionnaires", item)]


def _question(part: Part) -> Item:
    options = part.parts("answerOption")
    answers = distinct([line for each in options for line in lines_of(each, "value[x]", "Possible answer")])
    rows = row("Possible answers", answers)
    for condition in part.parts("enableWhen"):
        condition.notes.code("Asked when", condition.text("operator"))
        rows += rows_of(condition, {"answer[x]": "Asked when the answer before is"})
    nested = tuple(_question(each) for each in part.parts("item"))
    return Item(part.text("text") or "Question", (*rows, *rows_of(part, _QUESTION)), nested)
