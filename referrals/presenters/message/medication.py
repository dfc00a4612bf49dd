"""MedicationStatement: what the patient takes, or that they take nothing."""

from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Row
from referrals.presenters.message.names import concept_name
from referrals.presenters.message.reader import Part

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
