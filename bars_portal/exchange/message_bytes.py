"""The bytes of a message as they are kept: compressed or not, read again, and shown to staff.

They are the record, so they stay as they came; whoever reads one again comes here.
"""

import gzip
import re
import zlib
from typing import Any

import orjson

from bars_portal.exchange.fhir.formats import sniff
from bars_portal.exchange.fhir.json import write_exactly
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault

# What the receiver takes; so a stored one is within it.
MAX_CONTENT = 10_000_000


def decode(body: bytes | memoryview | None) -> dict[str, Any]:
    """The resource in a stored body. Raises OutcomeError for what is none: refused ones are stored too."""
    content = unpacked(body)
    return sniff(content).loads(content)


def unpacked(body: bytes | memoryview | None) -> bytes:
    """A stored body as it was before it was compressed. Raises OutcomeError."""
    raw = bytes(body or b"")
    try:
        return inflate(raw, limit=MAX_CONTENT) if is_deflated(raw) else raw
    except (Corrupt, TooLarge):
        raise fault(OutcomeCode.INVALID, "The body is not gzip, or too large") from None


def readable(body: bytes | memoryview | None, *, masked: bool, ours: bool = False) -> str:
    """Indented JSON, whatever the format, or a plain sentence for what is neither JSON nor XML of FHIR.

    `ours`: we wrote it, so that its diagnostics need no mask.
    """
    raw = bytes(body or b"")
    if not raw:
        return "Nothing was sent."
    try:
        content = decode(raw)
    except OutcomeError:
        return f"{len(raw)} bytes that are not FHIR in JSON or XML."
    try:
        return orjson.dumps(
            mask(content, KEPT_OF_OURS if ours else _KEPT) if masked else content,
            default=write_exactly,
            option=orjson.OPT_INDENT_2,
        ).decode()
    except orjson.JSONEncodeError:
        return f"{len(raw)} bytes of FHIR, nested too deep to be shown."


# -- a stored message without what it says about people: an engineer sees shape, codes and ids of services
# Only members on these lists keep their value; whatever is new or unexpected is masked.

MASK = "•••"
# Deeper than any message that we take (fhir.limits.MAX_DEPTH); refused ones are stored too.
DEEPEST = 64

_KEPT = frozenset(
    {
        *("resourceType", "type", "status", "system", "code", "url", "profile", "versionId"),
        *("lastUpdated", "timestamp", "definition", "endpoint", "total"),
        *("relation", "mode", "rank", "use", "start", "end", "created", "software", "version"),
        *("severity", "eventCoding", "intent", "valuePositiveInt"),
    }
)
# What we wrote ourselves says nothing about anybody; the words of others may quote what they were sent.
KEPT_OF_OURS = _KEPT | {"diagnostics", "expression"}
# In the headers that name organisations, services and software.
KEPT_OF_SYSTEMS = _KEPT | {"value", "name"}
# Even these say something about a person.
_PEOPLE = frozenset({"Patient", "RelatedPerson", "Practitioner", "Person"})
_KEPT_OF_PEOPLE = frozenset({"resourceType", "profile", "lastUpdated", "rank", "use"})
# Names of resources: kept when they are nothing but that. A search or an address may hold a number or a name.
_LINKS = frozenset({"reference", "fullUrl"})
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_LINK = re.compile(rf"(?:urn:uuid:|[A-Za-z]{{1,40}}/)?{_UUID}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,60}")


def mask(value: Any, kept: frozenset[str] = _KEPT, *, depth: int = 0) -> Any:
    """The same structure with every other leaf replaced."""
    if depth >= DEEPEST:
        return MASK
    if isinstance(value, dict):
        inner = _KEPT_OF_PEOPLE if _is_person(value) else kept
        return {_name(name): _member(name, each, value, inner, depth) for name, each in value.items()}
    if isinstance(value, list):
        return [mask(each, kept, depth=depth + 1) for each in value]
    return MASK


def _member(name: str, value: Any, owner: dict[str, Any], kept: frozenset[str], depth: int) -> Any:
    if depth >= DEEPEST:
        return MASK
    if isinstance(value, dict):
        return mask(value, kept, depth=depth + 1)
    if isinstance(value, list):
        return [_member(name, each, owner, kept, depth + 1) for each in value]
    return value if name in kept or _is_harmless(name, value, owner, kept) else MASK


def _is_harmless(name: str, value: Any, owner: dict[str, Any], kept: frozenset[str]) -> bool:
    if name in _LINKS or (name == "id" and kept is not _KEPT_OF_PEOPLE):
        return isinstance(value, str) and _LINK.fullmatch(value) is not None
    # Of a Coding it explains a code; of a Reference it would be somebody's name.
    return name == "display" and kept is not _KEPT_OF_PEOPLE and "code" in owner and "reference" not in owner


def _is_person(value: dict[str, Any]) -> bool:
    kind = value.get("resourceType")
    return isinstance(kind, str) and kind in _PEOPLE


def _name(name: str) -> str:
    """A member's name as it is, when it can be one of FHIR's."""
    return name if _NAME.fullmatch(name) else MASK


# -- gzip both ways, with a limit on what a body may grow to (standard section 4)

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
# Fast rather than small: the answer is on its way to a proxy in the same country.
_LEVEL = 4
# gzip allows several streams behind each other; each copies the rest, so thousands would cost minutes.
_MAX_MEMBERS = 16


class TooLarge(ValueError):
    """It would inflate to more than the limit; it was not inflated further."""


class Corrupt(ValueError):
    """It is no complete gzip stream."""


def deflate(content: bytes) -> bytes:
    """One gzip member; equal content gives equal bytes."""
    return gzip.compress(content, compresslevel=_LEVEL, mtime=0)


def inflate(body: bytes, *, limit: int) -> bytes:
    """The content, at most `limit` bytes. Raises TooLarge or Corrupt."""
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(body, room + 1)
        except zlib.error:
            raise Corrupt("This is not gzip") from None
        room -= len(part)
        if room < 0:
            raise TooLarge("It inflates to more than the limit")
        if not stream.eof:
            raise Corrupt("It ends too early")
        parts.append(part)
        body = stream.unused_data
        if not body:
            return b"".join(parts)
    raise Corrupt("It has more parts than any honest stream")


def is_deflated(body: bytes) -> bool:
    return body.startswith(_MAGIC)
