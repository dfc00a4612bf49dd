"""What FHIR R4 says of every element: its place among its siblings, its kind, whether it repeats.

The facts are in `elements.json` (written by `tests/unit/exchange_fhir_xml/generate.py`); a type is read from
it when it is first met.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
TABLE_FILE: Final = Path(__file__).with_name("elements.json")


class Kind(IntEnum):
    """How the content of an element is written."""

    TEXT = 0
    BOOLEAN = 1
    INTEGER = 2
    DECIMAL = 3
    XHTML = 4
    COMPLEX = 5
    RESOURCE = 6


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element of a type. `tag` is its XML name; `primitive` means that XML holds it in `value`."""

    name: str
    tag: str
    kind: Kind
    type_name: str
    many: bool
    position: int
    attribute: bool
    primitive: bool


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One FHIR type: its elements by JSON name and by XML tag, its attributes by name."""

    by_name: dict[str, Element]
    by_tag: dict[str, Element]
    attributes: frozenset[str]


_PRIMITIVES = {"": Kind.TEXT, **{kind.name.lower(): kind for kind in Kind if kind <= Kind.XHTML}}


@cache
def facts_of(type_name: str) -> TypeFacts:
    """The facts of a type of R4. Raises KeyError for another name."""
    written: str = _content()["elements"][type_name]
    elements = [_element(type_name, each, place) for place, each in enumerate(written.split())]
    return TypeFacts(
        by_name={each.name: each for each in elements},
        by_tag={each.tag: each for each in elements if not each.attribute},
        attributes=frozenset(each.name for each in elements if each.attribute),
    )


def is_resource(name: object) -> bool:
    """Whether it is a resource type, so that it may be the root of a document."""
    return isinstance(name, str) and name in _resource_types()


@cache
def element_names() -> frozenset[str]:
    """The names of all elements of all types, as JSON has them."""
    written = (each for elements in _content()["elements"].values() for each in elements.split())
    return frozenset(each.removesuffix("*").partition(":")[0] for each in written)


@cache
def _resource_types() -> frozenset[str]:
    return frozenset(_content()["resources"])


def _element(owner: str, written: str, position: int) -> Element:
    name, _, type_name = written.removesuffix("*").partition(":")
    kind = _PRIMITIVES.get(type_name, Kind.RESOURCE if type_name == "Resource" else Kind.COMPLEX)
    # An element's id and an extension's url are attributes in XML; a resource's id is an element.
    attribute = (name == "id" and not is_resource(owner)) or (owner, name) == ("Extension", "url")
    primitive = kind < Kind.XHTML and not attribute
    tag = f"{{{XHTML if kind is Kind.XHTML else FHIR}}}{name}"
    return Element(name, tag, kind, type_name, written.endswith("*"), position, attribute, primitive)


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(TABLE_FILE.read_bytes())
    return content
