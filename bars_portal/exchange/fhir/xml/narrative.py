"""The narrative: a text in JSON, an element of XHTML in XML (FHIR R4, "Narrative")."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

from lxml import etree

from bars_portal.exchange.fhir.xml.escaping import escape
from bars_portal.exchange.fhir.xml.parsing import parse_fragment
from bars_portal.exchange.fhir.xml.table import XHTML

_DIV: Final = f"{{{XHTML}}}div"
_OPENING: Final = f'<div xmlns="{XHTML}"'


def div(markup: str) -> str:
    """The narrative as an element that stands by itself, untouched when it is one.

    A `div` that forgot its namespace is given it. What is no XHTML (JSON carries any text) travels as the
    plain text that it is, so that nothing is lost.
    """
    if _is_div(markup):
        return markup
    named = markup.replace("<div", _OPENING, 1)
    return named if _is_div(named) else f"{_OPENING}>{escape(markup)}</div>"


def _is_div(markup: str) -> bool:
    # Nothing may stand before it: an XML declaration would be one within the document.
    if not markup.startswith("<div") or not markup.endswith(">"):
        return False
    try:
        element = parse_fragment(markup.encode())
    except UnicodeEncodeError:
        return False
    return element is not None and element.tag == _DIV


def markup_of(element: etree._Element) -> str:
    """The `div` as it was written, with the namespaces that it needs and without the text behind it."""
    alone = deepcopy(element)
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode", with_tail=False)
