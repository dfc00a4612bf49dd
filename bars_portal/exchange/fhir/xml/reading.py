"""An lxml tree to the dict that FHIR JSON would give (FHIR R4, "XML Representation of Resources").

The order of elements is not judged: it carries no meaning that the names do not carry too.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from bars_portal.exchange.fhir.json import parse_decimal
from bars_portal.exchange.fhir.limits import MAX_DEPTH
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.markup import markup_of
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
