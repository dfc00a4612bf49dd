"""An lxml tree to the dict that FHIR JSON would give (FHIR R4, "XML Representation of Resources"), and back.

Back means XML text, elements in R4's order.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from bars_portal.exchange.fhir.json import decimal_text, parse_decimal
from bars_portal.exchange.fhir.limits import MAX_DEPTH
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.markup import div, escape, markup_of
from bars_portal.exchange.fhir.xml.table import (
    FHIR,
    Element,
    Kind,
    TypeFacts,
    facts_of,
    is_resource,
)

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,9})")
_ROOT = f"{{{FHIR}}}"
_ID = f"{_ROOT}id"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
# id, url, value, and what XML Schema adds.
MAX_ATTRIBUTES = 10
_BOOLEANS = {"true": True, "false": False}

Content = dict[str, Any]


def read_resource(element: etree._Element, depth: int = 0) -> Content:
    """One resource. Raises OutcomeError (400 invalid or value) naming the place, never a value."""
    tag = str(element.tag)
    name = tag.removeprefix(_ROOT)
    if name == tag or not is_resource(name):
        raise _fault(element, "is no resource that FHIR R4 knows", parent=True)
    return {"resourceType": name, **_read_complex(element, facts_of(name), depth)}


def _read_complex(element: etree._Element, facts: TypeFacts, depth: int) -> Content:
    if depth > MAX_DEPTH:
        raise fault(OutcomeCode.INVALID, f"The content is nested deeper than {MAX_DEPTH} levels")
    found: Content = _attributes(element, facts) if element.attrib else {}
    for child in element:
        # Comments and processing instructions have functions for tags.
        if not isinstance(child.tag, str):
            continue
        known = facts.by_tag.get(child.tag)
        if known is None:
            # Some write an element's id as a resource's: it says nothing (standard section 12, "XML").
            if child.tag == _ID and "id" in facts.attributes:
                continue
            raise _fault(element, "has an element that FHIR R4 does not know")
        if known.primitive:
            _add_primitive(found, known, child, depth)
        else:
            _add(found, known, _read(child, known, depth), child)
    return found


def _read(element: etree._Element, known: Element, depth: int) -> Any:
    if known.kind is Kind.COMPLEX:
        return _read_complex(element, facts_of(known.type_name), depth + 1)
    if known.kind is Kind.XHTML:
        return markup_of(element)
    if len(element.attrib):
        raise _fault(element, "has an attribute that FHIR R4 does not know")
    held = [child for child in element if isinstance(child.tag, str)]
    if len(held) != 1:
        raise _fault(element, "does not hold exactly one resource")
    return read_resource(held[0], depth + 1)


def _add(found: Content, known: Element, value: Any, element: etree._Element) -> None:
    if known.many:
        found.setdefault(known.name, []).append(value)
    elif known.name in found:
        raise _fault(element, "may not repeat")
    else:
        found[known.name] = value


def _add_primitive(found: Content, known: Element, element: etree._Element, depth: int) -> None:
    """`value` goes to the name, id and extensions to `_name`; lists of both are kept level with nulls."""
    text = element.get("value")
    if text is not None and len(element.attrib) == 1 and not len(element):
        value, extra = _value(text, known, element), None
    else:
        value, extra = _value_and_extra(element, known, depth)
    if not known.many:
        if known.name in found or f"_{known.name}" in found:
            raise _fault(element, "may not repeat")
        if value is not None:
            found[known.name] = value
        if extra is not None:
            found[f"_{known.name}"] = extra
        return
    count = max(len(found.get(name, ())) for name in (known.name, f"_{known.name}"))
    _append_level(found, known.name, value, count)
    _append_level(found, f"_{known.name}", extra, count)


def _append_level(found: Content, name: str, value: Any, count: int) -> None:
    """Append to a list that begins with its first value: what came before, `count` members, is null then."""
    if value is not None or name in found:
        found.setdefault(name, [None] * count).append(value)


def _value_and_extra(element: etree._Element, known: Element, depth: int) -> tuple[Any, Content | None]:
    text = element.get("value")
    facts = facts_of("Element")
    extra = _read_complex(element, facts, depth + 1)
    if text is None and not extra:
        raise _fault(element, "has no value")
    return (None if text is None else _value(text, known, element)), extra or None


def _value(text: str, known: Element, element: etree._Element) -> Any:
    if known.kind is Kind.TEXT:
        return text
    try:
        if known.kind is Kind.BOOLEAN:
            return _BOOLEANS[text]
        if known.kind is Kind.DECIMAL:
            return parse_decimal(text)
        if _INTEGER.fullmatch(text):
            return int(text)
    except (KeyError, ValueError):
        pass
    raise _fault(element, "is not in a form that FHIR R4 allows", code=OutcomeCode.VALUE) from None


def _attributes(element: etree._Element, facts: TypeFacts) -> Content:
    """`id`, and `url` of an extension. Of a primitive, `value` is read elsewhere."""
    found: Content = {}
    # Listing them takes lxml the square of their number.
    if len(element.attrib) > MAX_ATTRIBUTES:
        raise _fault(element, "has more attributes than FHIR R4 knows")
    for name, text in element.items():
        key = str(name)
        if key in facts.attributes:
            found[key] = text
        elif not key.startswith(_XSI) and not (key == "value" and facts is facts_of("Element")):
            raise _fault(element, "has an attribute that FHIR R4 does not know")
    return found


def _fault(
    element: etree._Element, words: str, *, parent: bool = False, code: OutcomeCode = OutcomeCode.INVALID
) -> OutcomeError:
    path = _path(element.getparent() if parent else element)
    return fault(code, f"{path or 'The root'} {words}", *([path] if path else []))


def _path(element: etree._Element | None) -> str:
    """FHIRPath of an element whose names are all known; built only when something is wrong."""
    steps: list[str] = []
    while element is not None:
        parent = element.getparent()
        name = etree.QName(element).localname
        # A contained resource is the value of the element around it, no step of its own.
        if parent is None or not is_resource(name):
            position = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
            last = position == 0 and next(element.itersiblings(element.tag), None) is None
            steps.append(name if last else f"{name}[{position}]")
        element = parent
    return ".".join(reversed(steps))


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
