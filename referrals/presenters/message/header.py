"""MessageHeader and the Bundle itself: who sent what to whom, with which software, on which journey."""

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.exchange.fhir.rules.parts import journey_id
from referrals.presenters.message.concepts import code_line, coding_line
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.telecoms import telecom_rows
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import date_words

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
