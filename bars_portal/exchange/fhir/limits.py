"""What no honest message exceeds, and what the model library lets through (FHIR R4 JSON rules).

One iterative pass, so that a deeply nested body cannot exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from bars_portal.exchange.fhir.json import write_exactly

MAX_DEPTH = 60
MAX_ENTRIES = 500
# Objects, lists, and tags of XML. So many take longer to judge than the 5 s that an answer may take (standard
# section 5), and empty ones take some twenty times their bytes in memory.
MAX_PARTS = {b"{": 100_000, b"[": 100_000, b"<": 250_000}

# FHIR strings hold no control characters but tab, line feed and carriage return; PostgreSQL refuses NUL, and
# XML has no U+FFFE and U+FFFF.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What odd things look like in compact JSON, where control characters are escaped.
_OF_CONTROL = (b"\\u00", b"\\b", b"\\f", "\ufffe".encode(), "\uffff".encode())
_OF_NOTHING = (b"null", b"[]", b"{}")


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something wrong at a FHIRPath, which repeats names of the body: show it only when they are known."""

    path: str
    what: str


def too_many_parts(content: bytes) -> str | None:
    """A sentence when a body, not yet parsed, has more objects, lists or tags than we take, else None."""
    if all(content.count(each) <= most for each, most in MAX_PARTS.items()):
        return None
    return "The content has more objects, lists or tags than are taken"


def too_large(raw: dict[str, Any]) -> str | None:
    """A sentence when the Bundle nests deeper or has more entries than we take, else None."""
    entries = raw.get("entry")
    if isinstance(entries, list) and len(entries) > MAX_ENTRIES:
        return f"A message may have at most {MAX_ENTRIES} entries"
    layer: list[Any] = [raw]
    for _ in range(MAX_DEPTH):
        layer = [each for item in layer for each in _members(item) if isinstance(each, (dict, list))]
        if not layer:
            return None
    return f"The content is nested deeper than {MAX_DEPTH} levels"


def _members(item: Any) -> Any:
    return item.values() if isinstance(item, dict) else item


def has_plain_texts(value: Any) -> bool:
    """Whether it surely can be written as JSON without a control character in any text."""
    written = _written(value)
    return written is not None and _has_no_control(written)


def _is_plain(value: Any) -> bool:
    """Whether there is certainly nothing odd: its compact JSON has none of the texts that odd things have.

    Quick, and wrong only about words that look like it ("null" in a note), which are then looked at.
    """
    written = _written(value)
    if written is None or not _has_no_control(written):
        return False
    return not any(each in written for each in _OF_NOTHING)


def _written(value: Any) -> bytes | None:
    """Compact JSON. A number or text that no JSON holds gives None: looked at, not judged here."""
    try:
        return orjson.dumps(value, default=write_exactly)
    except orjson.JSONEncodeError:
        return None


def _has_no_control(written: bytes) -> bool:
    # A single byte is found ten times faster than a text, and most messages have neither of the two.
    if b"\\" not in written and b"\xef" not in written:
        return True
    return not any(each in written for each in _OF_CONTROL)


def oddities(value: Any, path: str) -> Iterator[Oddity]:
    """Nulls, empty lists or objects, and control characters below `value`."""
    if _is_plain(value):
        return
    stack: list[tuple[Any, str, bool]] = [(value, path, False)]
    while stack:
        item, place, nullable = stack.pop()
        if isinstance(item, str):
            if _CONTROL.search(item):
                yield Oddity(place, "holds a control character, which FHIR does not allow")
        elif isinstance(item, dict):
            stack.extend((each, f"{place}.{name}", _may_be_null(item, name)) for name, each in item.items())
        elif isinstance(item, list):
            stack.extend((each, f"{place}[{index}]", nullable) for index, each in enumerate(item))
        if item is None and not (nullable and place.endswith("]")):
            yield Oddity(place, "is null, which FHIR does not allow")
        if item == [] or item == {}:
            yield Oddity(place, "is empty, which FHIR does not allow")


def _may_be_null(parent: dict[str, Any], name: str) -> bool:
    """Members of a list may be null only beside a list of extensions on primitives."""
    return name.startswith("_") or f"_{name}" in parent
