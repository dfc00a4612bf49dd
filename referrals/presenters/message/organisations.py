"""Organization and HealthcareService."""

from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part
from referrals.presenters.message.telecoms import telecom_rows

_ORGANISATION = {
    "name": "Name",
    "alias": "Also called",
    "identifier": "Number",
    "type": "Type",
    "address": "Address",
    "partOf": "Part of",
    "active": "Record in use",
}
_SERVICE = {
    "name": "Name",
    "identifier": "Number",
    "providedBy": "Provided by",
    "category": "Category",
    "type": "Type",
    "specialty": "Specialty",
    "location": "Place",
    "comment": "Comment",
    "extraDetails": "Details",
    "active": "Service in use",
}


def present_organisation(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _ORGANISATION), *telecom_rows(part)]
    return [("people", make_item(part, message.title(part), rows))]


def present_service(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _SERVICE), *telecom_rows(part)]
    return [("people", make_item(part, f"Service: {message.title(part)}", rows))]
