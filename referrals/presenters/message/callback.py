"""Whom to call back: the contact of rank 1 and their number of rank 1 (standard section 6, contacts)."""

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_text, codings, dicts
from bars_portal.nhsuk.words import format_phone
from referrals.presenters.message.model import Row
from referrals.presenters.message.names import human_name
from referrals.presenters.message.telecoms import way_words
from referrals.presenters.message.words import known_display

_RANK = "Extension-UKCore-ContactRank"
_LAST = 99


def callback_rows(bundle: MessageBundle) -> list[Row]:
    """Number and contact; both are there even when nothing was stated."""
    contacts = [each for patient in bundle.of_type("Patient") for each in dicts(patient.get("contact"))]
    first = next((each for each in contacts if _rank(each) == 1), None)
    number = _number(first) if first else ""
    who = _who(first, bundle) if first else ""
    return [
        Row("Call-back number", (number,) if number else ()),
        Row("Contact to call back", (who,) if who else ()),
    ]


def _rank(contact: Resource) -> int:
    ranks = (
        each.get("valuePositiveInt")
        for each in dicts(contact.get("extension"))
        if as_text(each.get("url")).endswith(_RANK)
    )
    found = next(ranks, _LAST)
    return found if isinstance(found, int) else _LAST


def _number(contact: Resource) -> str:
    ways = [each for each in dicts(contact.get("telecom")) if each.get("system") != "email"]
    ways.sort(key=lambda each: rank if isinstance(rank := each.get("rank"), int) else _LAST)
    first = next(iter(ways), {})
    value = as_text(first.get("value"))
    way = way_words(as_text(first.get("system")), as_text(first.get("use")))
    return f"{format_phone(value)} ({way[:1].lower()}{way[1:]})" if value else ""


def _who(contact: Resource, bundle: MessageBundle) -> str:
    """Jack Grayson, nephew; a contact without a name who is the patient goes by the patient's."""
    words = [_relationship(each) for each in codings(contact.get("relationship"))]
    is_self = any(each.get("code") == "ONESELF" for each in codings(contact.get("relationship")))
    patient = next(iter(bundle.of_type("Patient")), {})
    named = human_name(contact.get("name"))
    if not named and is_self:
        named = next((human_name(each) for each in dicts(patient.get("name"))), "")
    return ", ".join(filter(None, [named, *words]))


def _relationship(coding: Resource) -> str:
    system, code = as_text(coding.get("system")), as_text(coding.get("code"))
    words = known_display(system, code) or as_text(coding.get("display")) or code
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
