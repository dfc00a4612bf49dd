"""XML as text and as a tree, for documents of strangers: no DOCTYPE, no entities, nothing kept."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Final, TypeVar

from lxml import etree

from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.table import FHIR, XHTML

Result = TypeVar("Result")


def apart(work: Callable[[], Result]) -> Result:
    """What `work` returns or raises, done in a thread that ends with it: some 0.2 ms.

    libxml2 keeps each name that it met (of elements, attributes, namespaces) for as long as the thread lives,
    and request threads live as long as their worker: a sender with names of his own would fill its memory.
    Nothing of lxml's may come out of it: its trees belong to their thread.
    """
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_UTF_8 = {"utf-8", "utf8", "us-ascii", "ascii"}
_UTF_16 = {"utf-16", "utf-16le", "utf-16be"}
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")
# FHIR elements hold no text of their own: values are attributes, only the narrative is mixed content.
_STRAY_TEXT = etree.XPath("boolean(//f:*/text()[normalize-space()])", namespaces={"f": FHIR})


def parse(body: bytes) -> etree._Element:
    """The root of a well-formed document in UTF-8 or UTF-16.

    Raises OutcomeError (400 invalid) for anything else; its text quotes nothing of the body.
    """
    text = _as_utf8(body)
    if _declares(text):
        raise _invalid("The body has a document type declaration, which is not taken")
    root = parse_fragment(text)
    if root is None:
        raise _invalid("The body is not well-formed XML")
    if _STRAY_TEXT(root):
        raise _invalid("The body has text outside of attributes, where FHIR allows none")
    return root


def parse_fragment(text: bytes) -> etree._Element | None:
    """The root of what is well-formed UTF-8 without a DOCTYPE, else None."""
    if _declares(text):
        return None
    try:
        return etree.fromstring(text, _parser())
    except (etree.XMLSyntaxError, ValueError):
        return None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",  # whatever the document says: it was decoded already
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=False,
    )


def where_it_ends(body: bytes) -> tuple[int, int] | None:
    """Line and column where a document ends to be one that is taken, as far as its letters alone tell."""
    try:
        text = _as_utf8(body)
    except OutcomeError:
        return None
    if declared := [at for each in _DECLARATIONS if (at := text.find(each)) >= 0]:
        before = text[: min(declared)]
        return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    try:
        etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as stop:
        line, column = stop.position
        return line, column
    except ValueError:
        pass
    return None


def _declares(text: bytes) -> bool:
    """Asked before the parser sees it: what is never declared cannot expand."""
    return any(each in text for each in _DECLARATIONS)


def _as_utf8(body: bytes) -> bytes:
    for mark, encoding in _MARKS.items():
        if body.startswith(mark):
            return _recoded(body.removeprefix(mark), encoding)
    declared = _DECLARED.match(body)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in _UTF_8:
        raise _invalid("The XML declaration names another encoding than UTF-8")
    return body


def _recoded(body: bytes, encoding: str) -> bytes:
    """Without its byte order mark. A declaration of another encoding is a lie, or an attack."""
    try:
        text = body if encoding == "utf-8" else body.decode(encoding).encode()
    except UnicodeError:
        raise _invalid("The body is not in the encoding of its byte order mark") from None
    declared = _DECLARED.match(text)
    if declared and declared[1].decode("ascii").lower() not in (_UTF_8 if encoding == "utf-8" else _UTF_16):
        raise _invalid("The XML declaration and the byte order mark name different encodings")
    return text


def _invalid(diagnostics: str) -> OutcomeError:
    return fault(OutcomeCode.INVALID, diagnostics)


# -- text for the inside of a double-quoted attribute

# Tabs and line breaks would be read back as blanks; other controls, surrogates and U+FFFE/F have no place
# in XML 1.0 at all, not even escaped.
_SPECIAL: Final = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WRITTEN: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def escape(text: str) -> str:
    """The text with markup escaped; characters that XML cannot hold become U+FFFD."""
    return _SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return _WRITTEN.get(found[0], "\N{REPLACEMENT CHARACTER}")


# -- the narrative: a text in JSON, an element of XHTML in XML (FHIR R4, "Narrative")

_DIV: Final = f"{{{XHTML}}}div"
_OPENING: Final = f'<div xmlns="{XHTML}"'
_BEGINS: Final = re.compile(r"<(?:[\w.\-]+:)?div\b")


def div(markup: str) -> str:
    """The narrative as an element that stands by itself, untouched when it is one.

    A `div` that forgot its namespace is given it; one with a prefix loses that. What is no XHTML (JSON
    carries any text) travels as the plain text that it is, so that nothing is lost.
    """
    if (element := _div_in(markup)) is not None:
        return markup_of(element) if _has_prefix(element) else markup
    named = markup.replace("<div", _OPENING, 1)
    return named if _div_in(named) is not None else f"{_OPENING}>{escape(markup)}</div>"


def _div_in(markup: str) -> etree._Element | None:
    # Nothing may stand before it: an XML declaration would be one within the document.
    if not _BEGINS.match(markup) or not markup.endswith(">"):
        return None
    try:
        element = parse_fragment(markup.encode())
    except UnicodeEncodeError:
        return None
    return element if element is not None and element.tag == _DIV else None


def markup_of(element: etree._Element) -> str:
    """The `div` as it was written, with the namespaces that it needs and without the text behind it.

    XHTML has no prefix in FHIR JSON, whatever it had in XML: readers of HTML know `p`, not `h:p`.
    """
    alone = _without_prefix(element) if _has_prefix(element) else deepcopy(element)
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode", with_tail=False)


def _has_prefix(element: etree._Element) -> bool:
    return any(each.prefix is not None for each in element.iter(f"{{{XHTML}}}*"))


def _without_prefix(element: etree._Element) -> etree._Element:
    """A copy; what is put into an element takes over its name for the same namespace."""
    bare = etree.fromstring(f"{_OPENING}/>")
    for name, value in element.items():
        bare.set(name, value)
    bare.text = element.text
    bare.extend(deepcopy(list(element)))
    return bare
