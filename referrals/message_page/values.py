"""Any FHIR value in words, by its shape. What has a shape of its own elsewhere is left unread."""

from collections.abc import Callable, Mapping

from bars_portal.exchange.fhir.codes import TelecomSystem
from bars_portal.nhsuk.words import format_nhs_number, format_phone
from referrals.cases.words import is_guid
from referrals.message_page.reader import Part
from referrals.message_page.words import (
    CODE_ELEMENTS,
    GENERIC,
    code_words,
    date_words,
    is_published,
    known_display,
    line_ends,
    system_name,
)


def concept_lines(concept: Part, label: str) -> list[str]:
    """Its displays, then its text where that says more."""
    shown = [coding_line(each, label) for each in concept.parts("coding")]
    return distinct([*shown, line_ends(concept.text("text"))])


def coding_line(coding: Part, label: str) -> str:
    """The display as sent, else ours, else the code; never silent about a display of another meaning."""
    code, system, sent = coding.text("code"), coding.text("system"), coding.text("display")
    known = known_display(system, code)
    meaning = known if sent and known.casefold() != sent.casefold() and is_published(system) else ""
    if code or system:
        coding.notes.code(label, code, system_name(system), meaning)
    shown = sent or known or code
    return shown[:1].upper() + shown[1:] if shown[1:2].islower() else shown


def code_line(code: str, part: Part, label: str) -> str:
    """A bare code of FHIR in words; the code itself is kept where the words differ."""
    words = code_words(code)
    if words.casefold() != code.casefold():
        part.notes.code(label, code)
    return words


def distinct(lines: list[str]) -> list[str]:
    """Without empty lines, and without saying the same twice."""
    kept: dict[str, str] = {}
    for line in lines:
        if line:
            kept.setdefault(line.casefold(), line)
    return list(kept.values())


Shape = Callable[[Part, str], list[str]]


def lines_of(part: Part, name: str, label: str) -> list[str]:
    """Every value of this name; a name ending in [x] means a choice of types."""
    if name.endswith("[x]"):
        return [line for each in part.choices(name[:-3]) for line in lines_of(part, each, label)]
    shown = [_scalar_line(text, name, part, label) for text in part.texts(name)]
    if name in _OF_PEOPLE:
        shape, parts = _OF_PEOPLE[name], part.people_parts(name)
    else:
        shape, parts = shaped, part.parts(name)
    return distinct([*shown, *(line for each in parts for line in shape(each, label))])


_STANDS_IN = {
    "maiden": "maiden name",
    "nickname": "nickname",
    "temp": "temporary",
    "anonymous": "assumed name",
}


def standing(part: Part, label: str) -> str:
    """What a name or an address is beside the one that counts: " (maiden name)", " (not in use any more)"."""
    words = _STANDS_IN.get(part.peek("use"), "") if part.holds else "not in use any more"
    said = ", ".join(filter(None, (words, *lines_of(part, "period", label))))
    return f" ({said})" if said else ""


def shaped(part: Part, label: str) -> list[str]:
    """The first shape that fits; [] leaves the part for "Other information received"."""
    keys = part.value.keys()
    for needed, shape in _SHAPES:
        if not needed.isdisjoint(keys):
            return shape(part, label)
    return []


def period_line(period: Part, _label: str) -> list[str]:
    start, end = (date_words(period.text(name)) for name in ("start", "end"))
    if start and end:
        return [f"{start} to {end}"]
    return [f"From {start}"] if start else [f"Until {end}"] if end else []


def quantity_line(quantity: Part, label: str) -> list[str]:
    code, system = quantity.text("code"), quantity.text("system")
    unit = quantity.text("unit")
    if code or system:
        quantity.notes.code(f"{label}: unit", code, system_name(system))
    return [" ".join(filter(None, (quantity.text("comparator"), quantity.text("value"), unit or code)))]


def identifier_line(identifier: Part, label: str) -> list[str]:
    """Which number it is, and the number; what only machines can read is left out."""
    system, value = identifier.text("system"), identifier.text("value")
    name = system_name(system)
    if not value or is_guid(value):
        identifier.notes.code(label, "" if is_guid(value) else value, name)
        return []
    if "://" in name:
        identifier.notes.code(label, value, name)
        name = ""
    return [f"{name} {format_nhs_number(value) if name == 'NHS number' else value}".strip()]


def telecom_line(telecom: Part, label: str) -> list[str]:
    kind, value = telecom.text("system"), telecom.text("value")
    use = telecom.text("use")
    way = code_line(use or kind, telecom, label)
    return [f"{way}: {format_phone(value) if kind in ('phone', 'sms') else value}"] if value else [way]


def name_line(name: Part, label: str) -> list[str]:
    """Mrs Julie Jones; the text only where it says something else."""
    if use := name.text("use"):
        name.notes.code(f"{label}: use", use)
    parts = [*name.texts("prefix"), *name.texts("given"), name.text("family"), *name.texts("suffix")]
    shown = distinct([" ".join(filter(None, parts)), name.text("text")])
    known = standing(name, label)
    return [f"{each}{known}" for each in shown]


def address_lines(address: Part, label: str) -> list[str]:
    """One line of its parts; the text only where it says more."""
    for name in ("use", "type"):
        if code := address.text(name):
            address.notes.code(f"{label}: {name}", code)
    parts = address.texts("line")
    country = address.text("country")
    parts += [*(address.text(name) for name in ("city", "district", "state", "postalCode")), country]
    text, known = address.text("text"), distinct(parts)
    mark = standing(address, label)
    lacking = [each for each in known if each.casefold() not in text.casefold()]
    # A text without its country is the usual one.
    if text and lacking in ([], [country]):
        return [f"{', '.join([text, *lacking])}{mark}"]
    whole = ", ".join(known)
    if text.casefold() in whole.casefold():
        text = ""
    return [f"{each}{mark}" for each in distinct([whole, text])]


def reference_line(reference: Part, label: str) -> list[str]:
    """What it points at by its name; a target outside the message by the words or the address given."""
    target, display = reference.text("reference"), reference.text("display")
    name = reference.notes.name_of(target)
    numbers = [line for each in reference.parts("identifier") for line in identifier_line(each, label)]
    outside = "" if is_guid(target) else target
    if display and name in GENERIC:
        name = ""
    said = ": ".join(distinct([display, *numbers, name or outside])) or "Not part of this message"
    return [said[:1].upper() + said[1:]]


def annotation_line(note: Part, _label: str) -> list[str]:
    author = [note.text("authorString"), *lines_of(note, "authorReference", "Author")]
    said = ", ".join(filter(None, (*author, date_words(note.text("time")))))
    return [line_ends(note.text("text")) + (f" ({said})" if said else "")]


def range_line(span: Part, label: str) -> list[str]:
    low, high = (" ".join(lines_of(span, name, label)) for name in ("low", "high"))
    return [" to ".join(filter(None, (low, high)))]


def _telecom_or_identifier(part: Part, label: str) -> list[str]:
    ways = {each.value for each in TelecomSystem} | {"fax", "pager", "url"}
    return (telecom_line if part.peek("system") in ways else identifier_line)(part, label)


def _scalar_line(text: str, name: str, part: Part, label: str) -> str:
    if name in CODE_ELEMENTS or name == "valueCode":
        return code_line(text, part, label)
    return line_ends(date_words(text))


def _coding(part: Part, label: str) -> list[str]:
    return [coding_line(part, label)]


_OF_PEOPLE: Mapping[str, Shape] = {"name": name_line, "address": address_lines}
# The first whose elements are there decides.
_SHAPES: tuple[tuple[frozenset[str], Shape], ...] = (
    (frozenset(("coding",)), concept_lines),
    (frozenset(("reference",)), reference_line),
    (frozenset(("line", "city", "postalCode", "district")), address_lines),
    (frozenset(("family", "given")), name_line),
    (frozenset(("low", "high")), range_line),
    (frozenset(("start", "end")), period_line),
    (frozenset(("unit", "comparator")), quantity_line),
    (frozenset(("value",)), _telecom_or_identifier),
    (frozenset(("authorString", "authorReference", "time")), annotation_line),
    (frozenset(("code",)), _coding),
    (frozenset(("text",)), concept_lines),
    (frozenset(("display",)), reference_line),
)
