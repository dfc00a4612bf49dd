"""The two formats of FHIR on the wire, by their media types (standard section 4)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from bars_portal.exchange.fhir import json, names, xml


class Format(StrEnum):
    """Its value is the media type that an answer says."""

    JSON = "application/fhir+json"
    XML = "application/fhir+xml"

    def loads(self, body: bytes) -> dict[str, Any]:
        """Raises OutcomeError (400) for what is not one resource in this format."""
        return xml.loads(body) if self is Format.XML else json.loads(body)

    def received(self, body: bytes) -> dict[str, Any]:
        """The same of what others send: they may not give an object the same name twice (section 12)."""
        return xml.loads(body) if self is Format.XML else names.loads(body)

    def dumps(self, resource: dict[str, Any]) -> bytes:
        """Raises OutcomeError (400) when XML has no place for something in it; JSON has for everything."""
        return xml.dumps(resource) if self is Format.XML else json.dumps(resource)


# FHIR's own types, the generic ones, and the short names of `_format`.
_BY_MEDIA_TYPE = {
    "application/fhir+json": Format.JSON,
    "application/json": Format.JSON,
    "text/json": Format.JSON,
    "application/fhir+xml": Format.XML,
    "application/xml": Format.XML,
    "text/xml": Format.XML,
}
_BY_NAME = {"json": Format.JSON, "xml": Format.XML}


def of_body(media_type: str) -> Format | None:
    """The format of a body by its media type without parameters, in any case: FHIR's own two and no other."""
    plain = media_type.strip().lower()
    return next((each for each in Format if each.value == plain), None)


def by_media_type(media_type: str) -> Format | None:
    """The format that an answer is asked for in, leniently; None for one that is not served."""
    return _BY_MEDIA_TYPE.get(media_type.strip().lower())


def by_name(name: str) -> Format | None:
    """The format that `_format` names: short, or a media type, whose `+` may have become a blank."""
    plain = name.strip().lower()
    return _BY_NAME.get(plain) or by_media_type(plain.replace("fhir ", "fhir+"))


def sniff(content: bytes) -> Format:
    """The format of stored content whose headers are not at hand: XML begins with `<`, JSON never does."""
    start = content[:64].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return Format.XML if start.startswith(b"<") else Format.JSON
