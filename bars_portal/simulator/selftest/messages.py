"""Message templates (messages/*.json, variants of them in messages/*.toml), their placeholders and changes.

A change names its place: `Encounter[1].status`, `Bundle.meta.versionId`, `@Patient.fullUrl`.
"""

import copy
import json
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from nhs_number.validate import calculate_checksum

from bars_portal.simulator.fhir import stamp
from bars_portal.simulator.selftest.model import Json

_ROOT = re.compile(r"(@?)([A-Za-z]+)(?:\[(\d+|\*)\])?")
_MEMBER = re.compile(r"([A-Za-z_]+)((?:\[(?:\d+|\*)\])*)")
_INDEX = re.compile(r"\[(\d+|\*)\]")
_EMPTY: tuple[Any, ...] = ([], {})


class PathError(Exception):
    """A path that is none, or that leads nowhere in the message that is to be changed."""


def values_at(resource: Json, path: str) -> list[Any]:
    """Every value at the path; nothing when it leads nowhere. Raises PathError for what is no path."""
    root, *members = path.split(".")
    values = _roots(resource, root)
    for member in members:
        values = [value for each in values for value in _step(each, *_read(member))]
    return values


def put(resource: Json, path: str, value: Any) -> None:
    """Sets the one place that the path names; what lies above it must be there. Raises PathError."""
    holder, key = _place(resource, path)
    if isinstance(holder, list) and key == len(holder):
        holder.append(value)
    else:
        holder[key] = value


def cut(resource: Json, path: str) -> None:
    """Takes the member or item away, and what is empty then above it. Raises PathError."""
    holder, key = _place(resource, path)
    try:
        del holder[key]
    except (KeyError, IndexError) as problem:
        raise PathError(f"{path} is not in the message") from problem
    above = _above(path)
    if holder in _EMPTY and above:
        cut(resource, above)


def _place(resource: Json, path: str) -> tuple[Any, Any]:
    """The container and the key or index in it."""
    above, (name, indexes) = _above_member(path), _read(path.rpartition(".")[2])
    holders = values_at(resource, above)
    if len(holders) != 1 or not isinstance(holders[0], dict):
        raise PathError(f"{path} is not one place in the message")
    holder: Any = holders[0]
    key: Any = name
    for index in indexes:
        holder = holder.get(key) if isinstance(holder, dict) else _item(holder, key)
        if not isinstance(index, int) or not isinstance(holder, list):
            raise PathError(f"{path} is not one place in the message")
        key = index
    return holder, key


def _item(holder: list[Any], index: int) -> Any:
    return holder[index] if index < len(holder) else None


def _above_member(path: str) -> str:
    above = path.rpartition(".")[0]
    if not above:
        raise PathError(f"{path} names no member")
    return above


def _above(path: str) -> str:
    """The place around: an item's list, a member's object; "" at a resource."""
    if path.endswith("]"):
        return path[: path.rindex("[")]
    above = path.rpartition(".")[0]
    return above if "." in above else ""


def _roots(resource: Json, root: str) -> list[Any]:
    match = _ROOT.fullmatch(root)
    if match is None:
        raise PathError(f"{root} is neither Bundle nor a resource type")
    entry_wanted, kind, index = match.groups()
    if resource.get("resourceType") == kind and not entry_wanted:
        return [resource]
    entries = [each for each in _list(resource.get("entry")) if _kind(each) == kind]
    chosen = entries if index == "*" else entries[int(index or 0) :][:1]
    return chosen if entry_wanted else [each["resource"] for each in chosen]


def _read(member: str) -> tuple[str, list[int | str]]:
    match = _MEMBER.fullmatch(member)
    if match is None:
        raise PathError(f"{member} is no member")
    return match[1], [each if each == "*" else int(each) for each in _INDEX.findall(match[2])]


def _step(value: Any, name: str, indexes: list[int | str]) -> list[Any]:
    if not isinstance(value, dict) or name not in value:
        return []
    values = [value[name]]
    for index in indexes:
        lists = [each for each in values if isinstance(each, list)]
        values = [item for each in lists for item in (each if index == "*" else each[int(index) :][:1])]
    return values


def _kind(entry: Any) -> str:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return str(resource.get("resourceType")) if isinstance(resource, dict) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


FOLDER = Path(__file__).parent / "messages"
CHANGES = frozenset({"set", "remove", "drop", "double", "stamped"})
_PLACE = re.compile(r"\{\{([^{}]+)\}\}")
_NOW = re.compile(r"now(?:([+-])(\d+)([smhd]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPOKEN = re.compile(r"(request|answer)(\d+):(.+)")
FindSlot = Callable[[str], Mapping[str, str]]


class UnknownPlaceholder(Exception):
    """A placeholder that means nothing here; its text names it."""


def number_for_tests(seed: int) -> str:
    """An NHS number of the range 999, kept for tests, that passes its check; `seed` below a million."""
    for number in range(seed, seed + 10):
        digits = f"999{number % 10**6:06d}"
        check = calculate_checksum(digits)
        if check != 10:
            return f"{digits}{check}"
    raise ValueError(seed)


@dataclass
class Values:
    """What the placeholders of one scenario stand for. `find_slot` gives a free slot for a name."""

    fixed: Mapping[str, str]
    now: datetime
    find_slot: FindSlot
    ids: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Mapping[str, str]] = field(default_factory=dict)
    # Decoded requests and answers in their order, None where there was no FHIR in it.
    requests: list[Json | None] = field(default_factory=list)
    answers: list[Json | None] = field(default_factory=list)

    def fill(self, value: Any) -> Any:
        """The same structure with every placeholder in its texts filled. Raises UnknownPlaceholder."""
        if isinstance(value, str):
            return _PLACE.sub(lambda match: self._of(match[1].strip()), value)
        if isinstance(value, dict):
            return {self.fill(key): self.fill(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        return value

    def stamp(self, text: str) -> str:
        """The instant that `now`, `now+15m` and the like mean, in UTC."""
        match = _NOW.fullmatch(text)
        if match is None:
            raise UnknownPlaceholder(text)
        sign, number, unit = match.groups()
        shift = timedelta(**{_UNITS[unit]: int(f"{sign}{number}")}) if sign else timedelta()
        return stamp(self.now + shift)

    def _of(self, name: str) -> str:
        if name in self.fixed:
            return self.fixed[name]
        if name == "new":
            return str(uuid4())
        if name.startswith("id:"):
            return self.ids.setdefault(name, str(uuid4()))
        if name == "nhs":
            return self.ids.setdefault(name, number_for_tests(secrets.randbelow(10**6)))
        if name.startswith("many:"):
            return "x" * int(name.removeprefix("many:"))
        if name.startswith("slot"):
            return self._slot(name)
        if match := _SPOKEN.fullmatch(name):
            return self._spoken(match)
        return self.stamp(name)

    def _slot(self, name: str) -> str:
        which, _, member = name.partition(".")
        if which not in self.slots:
            self.slots[which] = self.find_slot(which)
        if member not in self.slots[which]:
            raise UnknownPlaceholder(name)
        return self.slots[which][member]

    def _spoken(self, match: re.Match[str]) -> str:
        side, number, path = match.groups()
        messages = self.requests if side == "request" else self.answers
        message = messages[int(number) - 1] if int(number) <= len(messages) else None
        values = values_at(message, path) if message else []
        # What is missing is a finding where it is compared, never a crash.
        return str(values[0]) if values else f"(no {path} in {side} {number})"


def names() -> frozenset[str]:
    """Every template that a scenario may name."""
    return frozenset(file.stem for file in FOLDER.iterdir() if file.suffix in {".json", ".toml"})


def build(name: str, changes: Mapping[str, Any], values: Values) -> Json:
    """The template with its placeholders filled and the changes made. Raises PathError, KeyError."""
    message = values.fill(_template(name))
    apply(message, changes, values)
    return dict(message)


def apply(message: Json, changes: Mapping[str, Any], values: Values) -> None:
    """In the order that testers expect: stamps, entries away, entries twice, members away, members set."""
    if stamped := changes.get("stamped"):
        instant = values.stamp(stamped)
        message["meta"]["lastUpdated"] = message["timestamp"] = instant
        for resource in values_at(message, "Bundle.entry[*].resource"):
            resource["meta"]["lastUpdated"] = instant
    filled = {path: values.fill(value) for path, value in changes.get("set", {}).items()}
    _change(message, {**changes, "set": filled})


def _change(message: Json, changes: Mapping[str, Any]) -> None:
    entries = message["entry"]
    for kind in changes.get("drop", ()):
        entries.remove(_entry(message, kind))
    for kind in changes.get("double", ()):
        url = f"urn:uuid:00000000-0000-4000-8000-{len(entries):012d}"
        entries.append({**copy.deepcopy(_entry(message, kind)), "fullUrl": url})
    for path in changes.get("remove", ()):
        cut(message, path)
    for path, value in changes.get("set", {}).items():
        put(message, path, value)


def _entry(message: Json, kind: str) -> Json:
    entries = values_at(message, f"@{kind}")
    if not entries:
        raise PathError(f"the message has no {kind}")
    entry: Json = entries[0]
    return entry


@cache
def _template(name: str) -> Json:
    written = FOLDER / f"{name}.json"
    if written.is_file():
        read: Json = json.loads(written.read_text())
        return read
    variant = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    message = copy.deepcopy(_template(variant["base"]))
    _change(message, variant)
    return message
