"""The two formats of FHIR on the wire, by their media types (standard section 4); names in JSON are unique.

With two of a name (standard section 12) it is open which one was meant. Every parser keeps one of the two
without a word, so only what may hold such a pair is read in pairs.
"""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from bars_portal.exchange.fhir import json, xml
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.table import element_names, is_resource


class Format(StrEnum):
    """Its value is the media type that an answer says."""

    JSON = "application/fhir+json"
    XML = "application/fhir+xml"

    def loads(self, body: bytes) -> dict[str, Any]:
        """Raises OutcomeError (400) for what is not one resource in this format."""
        return xml.loads(body) if self is Format.XML else json.loads(body)

    def received(self, body: bytes) -> dict[str, Any]:
        """The same of what others send: they may not give an object the same name twice (section 12)."""
        return xml.loads(body) if self is Format.XML else loads_with_unique_names(body)

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


# Of a path, in characters.
_LONGEST = 200


class RepeatedName(OutcomeError):
    """An object has the same name twice (400 invalid)."""


class _Members(list[tuple[str, Any]]):
    """The members of one object, in the order in which they came."""


def loads_with_unique_names(body: bytes) -> dict[str, Any]:
    """As `json.loads`. Raises RepeatedName too, which says where by names of FHIR's, none of the sender's."""
    return json.loads(body, on_suspicion=_refuse_repeated)


def _refuse_repeated(text: bytes) -> None:
    try:
        root = stdlib_json.loads(text, object_pairs_hook=_Members)
    except RecursionError:
        raise fault(OutcomeCode.INVALID, "The content is nested too deep") from None
    path = next(_repeated(root), None)
    if path is not None:
        words = f"{path or 'An object'} has the same name twice: names of an object are unique"
        raise RepeatedName(Issue(OutcomeCode.INVALID, words, (path,) if path else ()))


def _repeated(root: Any) -> Iterator[str]:
    """Where a name comes again, in the order of the document."""
    stack: list[tuple[list[Any], str]] = [(root, _root(root))]
    while stack:
        item, path = stack.pop()
        if isinstance(item, _Members):
            met: set[str] = set()
            for name, _ in item:
                if name in met:
                    yield _named(path, name)
                met.add(name)
            within = [(value, _named(path, name)) for name, value in item if isinstance(value, list)]
        else:
            within = [
                (each, _longer(path, f"[{at}]")) for at, each in enumerate(item) if isinstance(each, list)
            ]
        stack.extend(reversed(within))


def _root(root: Any) -> str:
    kinds = [value for name, value in root if name == "resourceType"] if isinstance(root, _Members) else []
    return next((kind for kind in kinds if is_resource(kind)), "")


def _named(path: str, name: str) -> str:
    """A name that FHIR does not know could be anything, a patient's too: it is left out."""
    known = name == "resourceType" or name.removeprefix("_") in element_names()
    return _longer(path, f".{name}" if path else name) if known else path


def _longer(path: str, step: str) -> str:
    return path + step if len(path) < _LONGEST else path
