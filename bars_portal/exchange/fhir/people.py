"""How somebody is named and reached: which name, address and telephone number is meant (section 13). Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import phonenumbers

from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, dicts
from bars_portal.exchange.fhir.timestamps import LONDON, InvalidInstant, parse_instant

Element = dict[str, Any]

# FHIR NameUse, ContactPointUse and AddressUse: what people are known by, and what stands in for it.
_PREFERRED = ("usual", "official", "home")
_STANDS_IN = frozenset({"old", "maiden", "nickname", "temp", "anonymous"})
_UNRANKED = 1_000_000
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")


def best_first(elements: object, now: datetime) -> list[Element]:
    """HumanNames, ContactPoints or Addresses: those that are valid now first, then by use, rank and order."""
    return sorted(dicts(elements), key=lambda each: preference(each, now))


def chosen(elements: object, now: datetime) -> Element:
    """The one to show, to call or to write to; {} when there is none."""
    return next(iter(best_first(elements, now)), {})


def is_valid(element: Element, now: datetime) -> bool:
    """Whether it holds now, by `use` and `period`."""
    return element.get("use") != "old" and _holds(as_dict(element.get("period")), now)


def rank_of(value: object) -> int:
    """Sorts what has no (readable) rank last, in the order it came."""
    usable = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _UNRANKED) if usable and isinstance(value, int) else _UNRANKED


def human_name(name: object) -> str:
    """Mrs Julie Jones; the text where there are no parts."""
    member = as_dict(name)
    parts = [*as_list(member.get("prefix")), *as_list(member.get("given")), member.get("family")]
    return " ".join(filter(None, map(as_text, parts))) or as_text(member.get("text"))


def name_of_person(person: Element, now: datetime) -> str:
    """Of a Patient, Practitioner, RelatedPerson or Patient.contact; "" when none is told."""
    name = person.get("name")
    return human_name(name if isinstance(name, dict) else chosen(name, now))


# Ways that nobody answers when they are called.
_NOT_CALLED = frozenset({"email", "fax", "pager", "url"})


def way_to_call(telecoms: object, now: datetime) -> Element:
    """The ContactPoint to call back on; {} when there is none."""
    ways = (each for each in best_first(telecoms, now) if each.get("value"))
    return next((each for each in ways if as_text(each.get("system")) not in _NOT_CALLED), {})


def preference(element: Element, now: datetime) -> tuple[bool, bool, int, int]:
    """Sorts what holds now first, then by use, by rank, and what people are known by."""
    use = as_text(element.get("use"))
    place = _PREFERRED.index(use) if use in _PREFERRED else len(_PREFERRED)
    # A ContactPoint's own rank says more than where it rings.
    rank = rank_of(element.get("rank"))
    return (not is_valid(element, now), use in _STANDS_IN, rank, place if rank == _UNRANKED else 0)


def _holds(period: Element, now: datetime) -> bool:
    """A partial date means all of that day, month or year in London; what cannot be read bounds nothing."""
    return all(_is_on_side(as_text(period.get(end)), end, now) for end in ("start", "end"))


def _is_on_side(text: str, end: str, now: datetime) -> bool:
    if not text:
        return True
    try:
        moment = parse_instant(text)
    except InvalidInstant:
        day = found[0] if (found := _DATE.match(text)) else ""
        today = now.astimezone(LONDON).date().isoformat()[: len(day)]
        return today >= day if end == "start" else today <= day
    return now >= moment if end == "start" else now <= moment


def dialled_phone(value: object) -> str:
    """A number as messages carry it: 07700 900123 for a British one, 0033 1 ... for a foreign one.

    Digits and blanks, and an extension ("ext. 12"). What cannot be read for certain stays as it was: a number
    must not come to reach somebody else.
    """
    text = str(value or "")
    number = _whole_number(text)
    if number is None:
        return text
    plain = phonenumbers.PhoneNumber()
    plain.merge_from(number)
    plain.extension = None
    style = phonenumbers.PhoneNumberFormat
    if number.country_code == _BRITISH:
        shown = phonenumbers.format_number(plain, style.NATIONAL)
        # A number that no pattern fits is written without its first zero.
        shown = shown if shown.startswith("0") else f"0{phonenumbers.national_significant_number(plain)}"
    else:
        shown = f"00{phonenumbers.format_number(plain, style.INTERNATIONAL)[1:]}"
    extension = f" ext. {number.extension}" if number.extension else ""
    written = " ".join(_NO_DIGITS.sub(" ", shown).split()) + extension
    return written if _whole_number(written) == number else text


_BRITISH = 44
_NO_DIGITS = re.compile(r"[^0-9]+")


def _whole_number(text: str) -> phonenumbers.PhoneNumber | None:
    """Of a text that is one whole number with its first zero or country code, and nothing else."""
    if text.lstrip(" (")[:1] not in ("0", "+"):
        return None
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return None
    if not number.extension and any(char.isalpha() for char in text):
        return None
    sound = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return number if sound else None
