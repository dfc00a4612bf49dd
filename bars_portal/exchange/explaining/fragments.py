"""The place in a message that an issue is about, as masked lines with the element marked.

Pure. What the reader sees was masked whole before anything is cut out of it, so that no place shows more than
another; an element that is not there is named in a line of its own.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bars_portal.exchange.fhir.formats import Format, sniff
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.json import write_exactly
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.fhir.xml import where_broken
from bars_portal.exchange.fhir.xml.table import element_names, facts_of, is_resource
from bars_portal.exchange.message_bytes import MASK, mask, unpacked
from bars_portal.exchange.transport.headers import decode_json

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)((?:\[\d{1,6}\])*)")
_ENTRY = re.compile(r"Bundle\.entry\[(\d{1,6})\]\.resource")
_OF_TYPE = re.compile(r"resource\.ofType\((\w+)\)")
# Deeper than this below the marked element, and more lines than this, nobody reads.
_DEEP, _MOST_LINES = 5, 40
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """`path` is the FHIRPath or header as the answer names it; `within` the type of its resource."""

    path: str
    lines: tuple[Line, ...]
    within: str = ""

    @property
    def words(self) -> str:
        return f"{self.path}, in the {self.within}" if self.within else self.path


def fragment(masked: Any, path: str) -> Fragment:
    """The element at a FHIRPath of a Bundle, in its resource. `masked` is the whole message."""
    steps = _steps(path)
    entry = _ENTRY.match(path)
    resource = _at(masked, _steps(entry[0])) if entry else None
    if entry and resource is not None:
        root, steps = resource, steps[len(_steps(entry[0])) :]
    else:
        root = masked
    lines = list(_along(root, steps, ""))
    if len(lines) > _MOST_LINES:
        at = next((number for number, line in enumerate(lines) if line.is_marked), 0)
        start = max(0, min(at - 5, len(lines) - _MOST_LINES))
        lines = [*_cut(start), *lines[start : start + _MOST_LINES], *_cut(len(lines) - start - _MOST_LINES)]
    return Fragment(path, tuple(lines), _type_of(resource))


def where_it_breaks(body: bytes) -> Fragment | None:
    """Where a body ends to be JSON or XML, in lines and columns alone: nobody knows what stands there."""
    try:
        content = unpacked(body)
    except OutcomeError:
        return None
    place = where_broken(content) if sniff(content) is Format.XML else _where_json_ends(content)
    return Fragment(f"line {place[0]}, column {place[1]} of the body", ()) if place else None


def _where_json_ends(content: bytes) -> tuple[int, int] | None:
    try:
        orjson.loads(content.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as stop:
        return stop.lineno, stop.colno
    return None


def _type_of(resource: Any) -> str:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return kind if isinstance(kind, str) and is_resource(kind) else ""


def _cut(count: int) -> Iterator[Line]:
    if count > 0:
        yield Line(f"… {count} more lines")


def _at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        value = _member(value, step)
    return value


def _member(value: Any, step: str | int) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else None
    return None


def _steps(path: str) -> list[str | int]:
    """Names and positions below the Bundle; of a resource that is sought by its type, only the type."""
    sought = _OF_TYPE.search(path)
    plain = path[: sought.start()].rstrip(".") if sought else path
    steps: list[str | int] = []
    for each in plain.removeprefix("Bundle").split("."):
        if found := _STEP.fullmatch(each):
            steps.append(found[1])
            steps.extend(int(number) for number in re.findall(r"\d+", found[2]))
    return [*steps, f"a resource of type {sought[1]}"] if sought else steps


def _along(value: Any, steps: Sequence[str | int], label: str) -> Iterator[Line]:
    """Every member one line, but for the one on the way to the element; that itself unfolded and marked."""
    if not steps:
        yield from _marked(value, label)
        return
    opening, closing = _brackets(value)
    yield Line(f"{label}{opening}")
    step, rest = steps[0], steps[1:]
    inner = _member(value, step)
    for key, each in _members(value):
        if key == step and isinstance(each, dict | list):
            yield from (Line(_INDENT + line.text, line.is_marked) for line in _along(each, rest, _label(key)))
        else:
            yield Line(f"{_INDENT}{_label(key)}{_short(each)}", key == step)
    if inner is None and (missing := ".".join(str(each) for each in steps if isinstance(each, str))):
        yield Line(f"{_INDENT}{missing} is missing here", True)
    yield Line(closing)


def _marked(value: Any, label: str) -> Iterator[Line]:
    """All of it; but of an object with members that do not belong there, those: they are what is wrong."""
    strangers = _strangers(value)
    if not strangers:
        yield from (Line(line, True) for line in _unfolded(value, label))
        return
    yield Line(f"{label}{{")
    for name, each in value.items():
        yield from (Line(_INDENT + line, name in strangers) for line in _unfolded(each, _label(name), 1))
    yield Line("}")


def _strangers(value: Any) -> frozenset[str]:
    """Names that its type of resource does not have; elsewhere, that no type of FHIR has."""
    if not isinstance(value, dict):
        return frozenset()
    kind = _type_of(value)
    known = facts_of(kind).by_name.keys() if kind else element_names()
    plain = {name: name.removeprefix("_") for name in value if name != "resourceType"}
    return frozenset(name for name, each in plain.items() if each not in known)


def _brackets(value: Any) -> tuple[str, str]:
    return ("[", "]") if isinstance(value, list) else ("{", "}")


def _members(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, list):
        return list(enumerate(value))
    return list(value.items()) if isinstance(value, dict) else []


def _unfolded(value: Any, label: str, depth: int = 0) -> Iterator[str]:
    if not isinstance(value, dict | list) or not value or depth >= _DEEP:
        yield f"{label}{_short(value)}"
        return
    opening, closing = _brackets(value)
    yield f"{label}{opening}"
    for name, each in _members(value):
        yield from (f"{_INDENT}{line}" for line in _unfolded(each, _label(name), depth + 1))
    yield closing


def _label(name: str | int) -> str:
    """None in a list. A name that FHIR does not know could be anything, a patient's too."""
    if isinstance(name, int):
        return ""
    known = name == "resourceType" or name.removeprefix("_") in element_names()
    return f'"{name if known else MASK}": '


def _short(value: Any) -> str:
    """On one line: an object by its type, else, as a list, by how many members it has."""
    if isinstance(value, dict):
        kind = _type_of(value) or _type_of(value.get("resource"))
        return f"{{ {kind or len(value)} … }}" if value else "{}"
    if isinstance(value, list):
        return f"[ {len(value)} … ]" if value else "[]"
    return _written(value)


def _written(value: Any) -> str:
    try:
        return orjson.dumps(value, default=write_exactly).decode()
    except orjson.JSONEncodeError:
        return MASK


# -- headers: what the standard's own say is shown, decoded; anything else only by its length

_PLAIN = re.compile(r"[a-z*]{1,20}/[a-z0-9.*+-]{1,40}(?:; ?[A-Za-z]{1,20}=[A-Za-z0-9.-]{1,20}){0,4}")


def header_fragment(headers: Mapping[str, str], path: str) -> Fragment:
    """One header, by "http.<name>", as far as it may be shown."""
    name = path.removeprefix("http.")
    value = next((each for key, each in headers.items() if key.lower() == name.lower()), None)
    if value is None:
        return Fragment(path, (Line(f"{name} is missing", True),))
    if name.startswith("NHSD-"):
        return Fragment(path, tuple(Line(line, True) for line in _decoded(name, value)))
    shown = value if is_uuid(value.strip()) or _PLAIN.fullmatch(value) else _counted(value)
    return Fragment(path, (Line(f"{name}: {shown}", True),))


def _decoded(name: str, value: str) -> list[str]:
    try:
        content = decode_json(name, value, dict)
    except OutcomeError:
        return [f"{name}: {_counted(value)}, no base64 of a JSON object"]
    return list(_unfolded(mask(content), f"{name}, decoded: ", 0))


def _counted(value: str) -> str:
    return f"{MASK} ({len(value)} characters)" if value.strip() else "nothing"
