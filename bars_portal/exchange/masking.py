"""A stored message without what it says about people: an engineer sees shape, codes and ids of services.

Only members on the lists below keep their value; whatever is new or unexpected is masked.
"""

import re
from typing import Any

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
