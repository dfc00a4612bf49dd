"""The dict of FHIR JSON to XML text, elements in R4's order.

Text is joined rather than a tree built: several times faster, and nothing but the narrative holds markup.
"""

from __future__ import annotations

from typing import Any

from bars_portal.exchange.fhir.json import decimal_text
from bars_portal.exchange.fhir.limits import MAX_DEPTH
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.markup import div, escape
from bars_portal.exchange.fhir.xml.table import (
    FHIR,
    Element,
    Kind,
    TypeFacts,
    facts_of,
    is_resource,
)

Content = dict[str, Any]
Parts = list[str]
# Members of JSON that are no elements: the type is the element's own name, comments are not content.
_NO_ELEMENTS = frozenset({"resourceType", "fhir_comments"})
_NAMESPACE = f' xmlns="{FHIR}"'


def write_resource(resource: Content) -> str:
    """The root element. Raises OutcomeError (400 invalid) naming the element at fault, never a value."""
    parts: Parts = []
    _resource(parts, resource, _NAMESPACE, 0)
    return "".join(parts)


def _resource(parts: Parts, resource: Content, namespace: str, depth: int) -> None:
    kind = resource.get("resourceType")
    if not is_resource(kind):
        raise _invalid("A resource", "is of no type that FHIR R4 knows")
    _element(parts, str(kind), namespace, resource, facts_of(str(kind)), depth)


def _element(
    parts: Parts, name: str, attributes: str, content: Content, facts: TypeFacts, depth: int
) -> None:
    """One element with all that it holds; `attributes` are those that its owner gives it."""
    if depth > MAX_DEPTH:
        raise _invalid(name, f"is nested deeper than {MAX_DEPTH} levels")
    members = _in_order(content, facts, name)
    attributes += "".join(_attribute(known, content, name) for known in members if known.attribute)
    parts.append(f"<{name}{attributes}>")
    for known in members:
        given = content.get(known.name)
        if known.primitive:
            _primitives(parts, known, given, content.get(f"_{known.name}"), depth)
        elif not known.attribute:
            for each in _as_list(known, given):
                _complex(parts, known, each, depth)
    parts.append(f"</{name}>")


def _attribute(known: Element, content: Content, owner: str) -> str:
    given = content.get(known.name)
    return "" if given is None else f' {known.name}="{_text(given, owner)}"'


def _in_order(content: Content, facts: TypeFacts, owner: str) -> list[Element]:
    by_name = facts.by_name
    try:
        # A primitive and its `_name` are one element.
        found = {by_name[name.removeprefix("_")] for name in content if name not in _NO_ELEMENTS}
    except KeyError:
        raise _invalid(owner, "has an element that FHIR R4 does not know") from None
    return sorted(found, key=_position)


def _position(known: Element) -> int:
    return known.position


def _complex(parts: Parts, known: Element, value: Any, depth: int) -> None:
    if known.kind is Kind.XHTML and isinstance(value, str):
        parts.append(div(value))
    elif not isinstance(value, dict):
        raise _invalid(known.name, "is not of the type that FHIR R4 gives it")
    elif known.kind is Kind.RESOURCE:
        parts.append(f"<{known.name}>")
        _resource(parts, value, "", depth + 1)
        parts.append(f"</{known.name}>")
    else:
        _element(parts, known.name, "", value, facts_of(known.type_name), depth + 1)


def _primitives(parts: Parts, known: Element, given: Any, extra: Any, depth: int) -> None:
    """Values and their ids and extensions, which JSON keeps in a second list of the same length."""
    values, extras = _as_list(known, given), _as_list(known, extra)
    if not extras:
        parts.extend(f'<{known.name} value="{_text(each, known.name)}"/>' for each in values)
        return
    for position in range(max(len(values), len(extras))):
        value = values[position] if position < len(values) else None
        added = extras[position] if position < len(extras) else None
        attribute = "" if value is None else f' value="{_text(value, known.name)}"'
        if not isinstance(added, dict | None):
            raise _invalid(f"_{known.name}", "is not an object")
        _element(parts, known.name, attribute, added or {}, facts_of("Element"), depth + 1)


def _as_list(known: Element, given: Any) -> list[Any]:
    if given is None:
        return []
    if known.many != isinstance(given, list):
        raise _invalid(known.name, "is a list where FHIR R4 has none, or the other way round")
    return given if known.many else [given]


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return decimal_text(value)
    raise _invalid(name, "is not of the type that FHIR R4 gives it")


def _invalid(name: str, words: str) -> OutcomeError:
    return fault(OutcomeCode.INVALID, f"{name} {words}")
