"""FHIR XML: bytes to the dict that FHIR JSON would give, and back (standard section 4; FHIR R4 "XML")."""

from __future__ import annotations

from typing import Any

from bars_portal.exchange.fhir.xml.markup import apart as apart
from bars_portal.exchange.fhir.xml.markup import parse as parse
from bars_portal.exchange.fhir.xml.markup import where_it_ends
from bars_portal.exchange.fhir.xml.resources import read_resource, write_resource

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def loads(body: bytes) -> dict[str, Any]:
    """Parse one resource; raise OutcomeError (400) for anything else, a DOCTYPE included.

    Decimals keep their text (ExactDecimal); unknown elements and attributes are refused.
    """
    return apart(lambda: read_resource(parse(body)))


def dumps(resource: dict[str, Any]) -> bytes:
    """UTF-8 with its declaration. Raises OutcomeError (400 invalid) for what has no place in FHIR R4."""
    return (_DECLARATION + apart(lambda: write_resource(resource))).encode()


def where_broken(body: bytes) -> tuple[int, int] | None:
    """Line and column where `loads` stops to understand; None where no place is known."""
    return apart(lambda: where_it_ends(body))
