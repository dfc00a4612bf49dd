"""Condition, Procedure and Communication: what is wrong, what was done, what was noted on the way."""

from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part

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
    "performed[x]": "Performed",
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
    "sent": "Sent",
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
