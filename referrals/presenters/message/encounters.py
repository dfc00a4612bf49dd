"""Encounter: the case of the one who asks and of the one who answers, with its states and places."""

from bars_portal.exchange.fhir.rules.parts import requester_encounter
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of

_FIELDS = {
    "identifier": "Number",
    "status": "Status",
    "class": "Kind of contact",
    "type": "Type",
    "priority": "Priority",
    "serviceType": "Service",
    "period": "Time",
    "reasonCode": "Reason",
    "reasonReference": "See also",
    "serviceProvider": "Provider",
    "basedOn": "Based on",
    "partOf": "Part of",
    "appointment": "Appointment",
}


def present_encounter(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _FIELDS), *_history(part), *_places(part), *_people(part), *message.about(part)]
    return [("assessment", make_item(part, _title(part, message), rows))]


def _title(part: Part, message: Message) -> str:
    """Whose case it is can be told only where the request names its own."""
    asks = requester_encounter(message.bundle)
    name = message.name(part).removeprefix("case ").removeprefix("the case")
    whose = "Case of the requester" if part.value is asks else "Case of the responder"
    return ("Case" if asks is None else whose) + (f": {name}" if name else "")


def _history(part: Part) -> list[Row]:
    steps = part.parts("statusHistory")
    return row("Earlier", [_together(each, "status", "period") for each in steps])


def _places(part: Part) -> list[Row]:
    return row("Where", [_together(each, "location", "status", "period") for each in part.parts("location")])


def _people(part: Part) -> list[Row]:
    people = part.parts("participant")
    return row("Who", [_together(each, "individual", "type", "period") for each in people])


def _together(part: Part, *names: str) -> str:
    return ", ".join(line for name in names for line in lines_of(part, name, "Earlier"))
