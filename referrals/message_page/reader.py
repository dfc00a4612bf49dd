"""Reading a message so that it is known afterwards what nobody has read, and what its page shows."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir.json import as_list, decimal_text
from bars_portal.exchange.fhir.people import is_valid, preference
from referrals.cases.words import is_guid


@dataclass(frozen=True)
class Row:
    """One label and what stands beside it; no lines read "Not stated"."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """What stands behind a word: for staff, one click away. `system` is a name, or the address itself."""

    label: str
    code: str
    system: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Item:
    """One thing of the message with its rows, and the parts that it consists of.

    `is_folded` keeps what is only looked up (a published questionnaire) out of the way.
    """

    title: str
    rows: tuple[Row, ...] = ()
    parts: tuple["Item", ...] = ()
    codes: tuple[Code, ...] = ()
    is_folded: bool = False


@dataclass(frozen=True)
class Alert:
    """A Flag, and what it `says`. `is_alarm`: safeguarding or scene safety that is not said to be well."""

    item: Item
    says: tuple[str, ...]
    is_alarm: bool
    # 0 is safeguarding, 1 is scene safety, 2 is any other.
    order: int

    @property
    def comes_first(self) -> bool:
        """Above all else, also when it says that all is well."""
        return self.order < 2


@dataclass(frozen=True)
class Group:
    """A part of the page; `items` may be empty when it matters that nothing was stated."""

    key: str
    title: str
    items: tuple[Item, ...]
    # The sentence that stands there when nothing was stated.
    silence: str = "Not stated"

    @property
    def anchor(self) -> str:
        return f"message-{self.key}"

    @property
    def codes(self) -> tuple[tuple[str, tuple[Code, ...]], ...]:
        return codes_of(self.items)


@dataclass(frozen=True)
class MessageView:
    """A message whole: the facts and warnings that come first, and all the rest in groups."""

    facts: tuple[Row, ...]
    warnings: tuple[Alert, ...]
    groups: tuple[Group, ...]

    @property
    def warning_codes(self) -> tuple[tuple[str, tuple[Code, ...]], ...]:
        return codes_of(tuple(each.item for each in self.warnings))


def codes_of(items: tuple[Item, ...]) -> tuple[tuple[str, tuple[Code, ...]], ...]:
    """Title and codes of each item that has any."""
    return tuple((item.title, item.codes) for item in items if item.codes)


# Where a leaf stands: ("entry", 3, "resource", "name", 0, "family").
Path = tuple[str | int, ...]
Scalar = str | int | float | bool
Naming = Callable[[str], str]


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Every text, number and truth value of parsed JSON with its place, in order."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, (*path, number))
    elif isinstance(value, Scalar):
        yield path, value


def scalar_text(value: Scalar) -> str:
    """A leaf as text: decimals exactly as they were sent."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value.strip() if isinstance(value, str) else decimal_text(value)


class Notes:
    """What was read of one message (shared), and the codes of one resource (its own).

    `now` decides which of several names, numbers and addresses holds.
    """

    def __init__(self, seen: set[Path], name_of: Naming, now: datetime) -> None:
        self.seen = seen
        self.name_of = name_of
        self.now = now
        self.codes: list[Code] = []

    def fresh(self) -> "Notes":
        return Notes(self.seen, self.name_of, self.now)

    def code(self, label: str, code: str, system: str = "", meaning: str = "") -> None:
        noted = Code(label, code, system, meaning)
        if noted not in self.codes:
            self.codes.append(noted)


class Part:
    """One element of the message. What is asked for counts as read; an odd shape is not read."""

    def __init__(self, value: dict[str, Any], path: Path, notes: Notes) -> None:
        self.value, self.path, self.notes = value, path, notes

    def __bool__(self) -> bool:
        return bool(self.value)

    def text(self, name: str) -> str:
        """The one leaf of this name, "" when there is none."""
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """The leaf of this name, or the leaves of the list of this name."""
        return [scalar_text(value) for _, value in self.scalars(name)]

    def scalars(self, name: str) -> list[tuple[Path, Scalar]]:
        found = [(path, value) for path, value in self._members(name) if isinstance(value, Scalar)]
        self.notes.seen.update(path for path, _ in found)
        return found

    def parts(self, name: str) -> list["Part"]:
        """The object of this name, or the objects of the list of this name."""
        return [
            Part(value, path, self.notes) for path, value in self._members(name) if isinstance(value, dict)
        ]

    def people_parts(self, name: str) -> list["Part"]:
        """Names, ways to reach somebody or addresses: the one that counts first (standard section 13)."""
        return sorted(self.parts(name), key=lambda each: preference(each.value, self.notes.now))

    @property
    def holds(self) -> bool:
        """Whether a name, number, way or address is still theirs."""
        return is_valid(self.value, self.notes.now)

    def part(self, name: str) -> "Part":
        """The first of them, or an empty one."""
        return next(iter(self.parts(name)), Part({}, (*self.path, name), self.notes))

    def peek(self, name: str) -> str:
        """A leaf as text without reading it, to decide who reads it."""
        value = self.value.get(name)
        return scalar_text(value) if isinstance(value, Scalar) else ""

    def choices(self, prefix: str) -> list[str]:
        """Names of a choice of types: "onset" finds onsetDateTime and onsetAge."""
        pattern = re.compile(re.escape(prefix) + r"[A-Z]\w*")
        return [name for name in self.value if pattern.fullmatch(name)]

    def _members(self, name: str) -> list[tuple[Path, Any]]:
        value = self.value.get(name)
        if isinstance(value, list):
            return [((*self.path, name, number), each) for number, each in enumerate(as_list(value))]
        return [] if value is None else [((*self.path, name), value)]


@dataclass(frozen=True)
class TechnicalField:
    """`place` matches the path without numbers: "entry.resource.meta.profile"."""

    place: re.Pattern[str]
    reason: str


def _field(place: str, reason: str) -> TechnicalField:
    return TechnicalField(re.compile(place), reason)


# Reviewed: what is neither shown nor listed here is a fault.
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
