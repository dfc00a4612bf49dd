"""Consent: what the patient agreed to."""

from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part

_FIELDS = {
    "category": "Consent to",
    "status": "Status",
    "scope": "Scope",
    "policyRule": "How it was given",
    "dateTime": "Given",
    "performer": "Given by",
    "organization": "Kept by",
    "identifier": "Number",
}


def present_consent(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _FIELDS), *message.about(part, "patient")]
    return [("consent", make_item(part, "Consent", rows))]
