"""Reading a message so that it is known afterwards what nobody has read: nothing can be dropped silently."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from bars_portal.exchange.fhir.json import decimal_text
from bars_portal.exchange.fhir.reading import as_list
from referrals.presenters.message.model import Code

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
    """What was read of one message (shared), and the codes of one resource (its own)."""

    def __init__(self, seen: set[Path], name_of: Naming) -> None:
        self.seen = seen
        self.name_of = name_of
        self.codes: list[Code] = []

    def fresh(self) -> "Notes":
        return Notes(self.seen, self.name_of)

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
