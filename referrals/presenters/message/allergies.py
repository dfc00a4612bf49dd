"""AllergyIntolerance: an allergy, or that none is known."""

from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part

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
