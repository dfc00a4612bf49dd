"""One resource as one item: labelled rows from a table, its extensions and its narrative."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_dict, dicts
from bars_portal.exchange.fhir.people import way_to_call
from bars_portal.nhsuk.words import format_phone
from referrals.message_page.reader import Item, Part, Row
from referrals.message_page.values import lines_of, reference_line
from referrals.message_page.words import code_words, date_words, name_of

# (type, element, part played).
_ROLES = (
    ("MessageHeader", "sender", "sender"),
    ("MessageHeader", "responsible", "responsible"),
    ("ServiceRequest", "requester", "requester"),
    ("ServiceRequest", "performer", "asked to act"),
    ("Patient", "generalPractitioner", "the patient's GP"),
    ("Patient", "managingOrganization", "keeps the patient's record"),
    ("HealthcareService", "providedBy", "provides the service"),
    ("CarePlan", "author", "author of the plan"),
)


def roles_in(bundle: MessageBundle) -> dict[int, tuple[str, ...]]:
    """By identity of the resource."""
    found: dict[int, list[str]] = {}
    for kind, element, role in _ROLES:
        for resource in bundle.of_type(kind):
            for reference in _references(resource.get(element)):
                _note(found, bundle.resolve(reference), role)
    for destination in dicts(bundle.header.get("destination")):
        _note(found, bundle.resolve(as_dict(destination.get("receiver"))), "receiver")
    return {key: tuple(roles) for key, roles in found.items()}


def _references(value: object) -> list[Resource]:
    return list(dicts(value)) if isinstance(value, list) else [as_dict(value)]


def _note(found: dict[int, list[str]], resource: Resource | None, role: str) -> None:
    roles = found.setdefault(id(resource), [])
    if role not in roles:
        roles.append(role)


# The key of the group that an item belongs to, and the item.
Placed = tuple[str, Item]
Presenter = Callable[[Part, "Message"], list[Placed]]


@dataclass(frozen=True)
class Message:
    """The bundle, and which parts its resources play, by identity."""

    bundle: MessageBundle
    roles: dict[int, tuple[str, ...]]
    now: datetime

    @classmethod
    def of(cls, bundle: MessageBundle, now: datetime) -> "Message":
        return cls(bundle, roles_in(bundle), now)

    def name(self, part: Part) -> str:
        return self.name_of(part.value)

    def name_of(self, resource: Resource) -> str:
        return name_of(resource, self.bundle, self.now)

    def title(self, part: Part) -> str:
        """Sender Organization: sender, requester"""
        roles = self.roles.get(id(part.value), ())
        name = self.name(part)
        return f"{name[:1].upper()}{name[1:]}" + (f" ({', '.join(roles)})" if roles else "")

    def about(self, part: Part, name: str = "subject", label: str = "About") -> list[Row]:
        """Whom it is about, unless it is the patient: the banner says that."""
        return self._unless(part, name, label, "Patient")

    def case(self, part: Part, name: str = "encounter") -> list[Row]:
        """In which case, where there is more than one."""
        several = len(self.bundle.of_type("Encounter")) > 1
        return self._unless(part, name, "Case", "" if several else "Encounter")

    def _unless(self, part: Part, name: str, label: str, kind: str) -> list[Row]:
        rows: list[Row] = []
        for each in part.parts(name):
            target = self.bundle.resolve(each.value) or {}
            if target.get("resourceType") != kind or "display" in each.value:
                rows.append(Row(label, tuple(reference_line(each, label))))
        return rows


# The last step of the extension's address, and its label. A part of an extension is named by its whole url.
_LABELS = {
    "Extension-UKCore-EthnicCategory": "Ethnic category",
    "patient-religion": "Religion",
    "Extension-UKCore-NHSNumberVerificationStatus": "NHS number",
    "Extension-UKCore-DeliveryChannel": "How",
    "UPRN": "UPRN",
    "eastings": "Eastings",
    "northings": "Northings",
    "what3words": "what3words",
    "accuracy": "Accuracy (per cent)",
    "RequesterCDSSsoftware": "Decision support software of the requester",
    "RequesterCDSSversion": "Version of the decision support software of the requester",
    "ResponderCDSSsoftware": "Decision support software of the responder",
    "ResponderCDSSversion": "Version of the decision support software of the responder",
}
# Extensions that only hold others.
_HOLDERS = frozenset(("LocationExtension", "CDSSExtension"))


def extension_rows(part: Part) -> list[Row]:
    """A row for each extension that has a label here."""
    rows: list[Row] = []
    for each in part.parts("extension"):
        tail = tail_of(each)
        if tail in _HOLDERS:
            rows += extension_rows(each)
        elif tail in _LABELS:
            rows += _row(each, _LABELS[tail])
    return rows


def extension_lines(part: Part, tail: str, label: str) -> list[str]:
    """The value of the extension whose address ends so."""
    found = (each for each in part.parts("extension") if tail_of(each) == tail)
    return [line for each in found for line in lines_of(each, "value[x]", label)]


def tail_of(extension: Part) -> str:
    return extension.peek("url").rsplit("/", 1)[-1]


def _row(extension: Part, label: str) -> list[Row]:
    lines = lines_of(extension, "value[x]", label)
    return [Row(label, tuple(lines))] if lines else []


_BLOCKS = frozenset(("p", "div", "br", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "table", "ul", "ol"))
_UNSEEN = frozenset(("style", "script"))


def _local(tag: str) -> str:
    """`p` of `h:p`: JSON may carry XHTML with a prefix."""
    return tag.rpartition(":")[2]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = _local(tag)
        self._unseen += name in _UNSEEN
        # A picture says what its text says.
        self.pieces.append(dict(attrs).get("alt") or "" if name == "img" else "\n" if name in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        name = _local(tag)
        self._unseen -= name in _UNSEEN
        self.pieces.append("\n" if name in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


def plain_text(markup: str) -> str:
    """The words of XHTML, a line for each block."""
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return "\n".join(filter(None, lines))


def narrative_text(narrative: Part, said: str) -> str:
    """Plain text of `text.div`; "" when each of its words is in `said`."""
    text = plain_text(narrative.text("div"))
    return "" if _words(text) <= _words(said) else text


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


# Element to label, in the order of the page; "onset[x]" is a choice of types.
Fields = Mapping[str, str]


def rows_of(part: Part, fields: Fields) -> list[Row]:
    """A row for each element that is there."""
    found = ((label, lines_of(part, name, label)) for name, label in fields.items())
    return [Row(label, tuple(lines)) for label, lines in found if lines]


def make_item(
    part: Part,
    title: str,
    rows: Iterable[Row],
    *,
    parts: Sequence[Item] = (),
    is_folded: bool = False,
) -> Item:
    """Closes a resource: known extensions, what its narrative adds, when it was last changed."""
    shown = [*rows, *extension_rows(part)]
    shown += _narrative(part, title, shown)
    _record_details(part)
    return Item(title, tuple(shown), tuple(parts), tuple(part.notes.codes), is_folded)


def row(label: str, lines: Iterable[str]) -> list[Row]:
    """One row, or none when there is nothing to say."""
    kept = tuple(filter(None, lines))
    return [Row(label, kept)] if kept else []


def _narrative(part: Part, title: str, shown: Sequence[Row]) -> list[Row]:
    said = " ".join([title, *(line for each in shown for line in (each.label, *each.lines))])
    return row("In the sender's words", [narrative_text(part.part("text"), said)])


def _record_details(part: Part) -> None:
    meta = part.part("meta")
    for name, label in (("lastUpdated", "Last updated"), ("versionId", "Version")):
        if text := meta.text(name):
            part.notes.code(label, date_words(text))


_PHONES = {
    "home": "Home phone",
    "work": "Work phone",
    "mobile": "Mobile phone",
    "temp": "Temporary phone",
    "old": "Old phone (not in use)",
}


def telecom_rows(part: Part, name: str = "telecom", *, is_call_back: bool = False) -> list[Row]:
    """`is_call_back`: the one to call back is marked."""
    call = way_to_call(part.value.get(name), part.notes.now) if is_call_back else None
    return [
        found for each in part.people_parts(name) for found in _telecom(each, is_call_back=each.value is call)
    ]


def way_words(kind: str, use: str) -> str:
    """Home phone, Work email, Text message."""
    if kind == "phone":
        return _PHONES.get(use, "Phone")
    use_words = {"old": "Old"}.get(use, code_words(use)) if use and use != "mobile" else ""
    words = code_words(kind or "contact")
    return f"{use_words} {words.lower()}" if use_words else words


def _telecom(part: Part, *, is_call_back: bool) -> list[Row]:
    kind, use, value, rank = (part.text(name) for name in ("system", "use", "value", "rank"))
    words = way_words(kind, use if part.holds else "old")
    part.notes.code(words, ", ".join(filter(None, (kind, use))))
    call = " (call back)" if is_call_back else ""
    order = f", choice {rank}" if rank else ""
    shown = format_phone(value) if kind in ("phone", "sms") else value
    return row(words, [f"{shown}{order}{call}", *lines_of(part, "period", "In use")])
