"""The reviewed list of fields that only machines need; what is neither shown nor listed here is a fault."""

import re
from dataclasses import dataclass

from referrals.presenters.message.reader import Path, Scalar

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A GUID alone, or as the end of an address; never one inside a sentence.
_GUID = re.compile(rf"(?:urn:uuid:|urn:oid:|https?://\S*/|[A-Za-z]+/)?{UUID}(?:/_history/\d+)?")


@dataclass(frozen=True)
class TechnicalField:
    """`place` matches the path without numbers: "entry.resource.meta.profile"."""

    place: re.Pattern[str]
    reason: str


def _field(place: str, reason: str) -> TechnicalField:
    return TechnicalField(re.compile(place), reason)


TECHNICAL = (
    _field(r"resourceType|.*\.resourceType", "The kind of thing, which decides its place on the page"),
    _field(r"id|entry\.resource\.id", "Name of a record between machines"),
    _field(r"entry\.fullUrl", "Name of a record within the message, so that others can point at it"),
    _field(r"type", "Bundle.type: the receiver takes nothing but messages"),
    _field(r"(.*\.)?meta\.profile", "The set of rules that the sender checked the record against"),
    _field(r".*\.(?:e|modifierE)xtension\.url", "Names an extension; in words it is the label of its value"),
    _field(r".*\.item\.linkId", "Number or name of a question; its text, or this in words, is the label"),
    _field(r".*\.enableWhen\.question", "Number of the question that another one depends on"),
    _field(r"entry\.resource\.text\.status", "How the sender made the narrative; its words are shown"),
)
GUID_REASON = "A GUID: only machines can tell what it names; the thing itself is shown by its name"


def reason_not_shown(path: Path, value: Scalar) -> str:
    """Why a leaf needs no place on the page; "" when it does."""
    if isinstance(value, str) and is_guid(value):
        return GUID_REASON
    place = plain_place(path)
    return next((each.reason for each in TECHNICAL if each.place.fullmatch(place)), "")


def plain_place(path: Path) -> str:
    """entry.resource.name.family"""
    return ".".join(step for step in path if isinstance(step, str))


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text.strip()) is not None
