"""Location: where it is, by address, UPRN, grid, what3words or position."""

from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part
from referrals.presenters.message.telecoms import telecom_rows
from referrals.presenters.message.values import lines_of

_FIELDS = {
    "name": "Name",
    "description": "How to find it",
    "address": "Address",
    "status": "Status",
    "mode": "Mode",
    "physicalType": "Kind of place",
    "managingOrganization": "Run by",
    "partOf": "Part of",
    "identifier": "Number",
    "alias": "Also called",
}
_POSITION = {"latitude": "Latitude", "longitude": "Longitude", "altitude": "Altitude"}


def present_place(part: Part, message: Message) -> list[Placed]:
    kinds = lines_of(part, "type", "Kind of place")
    position = rows_of(part.part("position"), _POSITION)
    rows = [*rows_of(part, _FIELDS), *telecom_rows(part), *position]
    return [("places", make_item(part, ", ".join(kinds) or "Place", rows))]
