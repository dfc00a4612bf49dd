"""Bytes to an lxml tree, for documents of strangers: no DOCTYPE, no entities, no network, bounded depth."""

from __future__ import annotations

import codecs
import re

from lxml import etree

from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.table import FHIR

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
    parser = etree.XMLParser(
        encoding="utf-8",  # whatever the document says: it was decoded already
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=False,
    )
    try:
        return etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError):
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
