"""Showing a stored message without what it says about people: an engineer sees shape, codes and ids of services.

Only members on the list below keep their value; whatever is new or unexpected is masked.
"""

from typing import Any

MASK = "•••"

_KEPT = frozenset(
    {
        *("resourceType", "type", "status", "system", "code", "display", "url", "profile", "versionId"),
        *("lastUpdated", "timestamp", "reference", "fullUrl", "id", "definition", "endpoint", "total"),
        *("relation", "mode", "rank", "use", "start", "end", "created", "software", "version"),
        *("severity", "diagnostics", "expression", "eventCoding", "intent", "valuePositiveInt"),
    }
)
# Even these say something about a person.
_PEOPLE = frozenset({"Patient", "RelatedPerson", "Practitioner"})
_KEPT_OF_PEOPLE = frozenset({"resourceType", "fullUrl", "reference", "profile", "lastUpdated", "rank", "use"})


def mask(value: Any, kept: frozenset[str] = _KEPT) -> Any:
    """The same structure with every other leaf replaced."""
    if isinstance(value, dict):
        inner = _KEPT_OF_PEOPLE if value.get("resourceType") in _PEOPLE else kept
        return {name: _member(name, each, inner) for name, each in value.items()}
    if isinstance(value, list):
        return [mask(each, kept) for each in value]
    return MASK


def _member(name: str, value: Any, kept: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return mask(value, kept)
    if isinstance(value, list):
        return [_member(name, each, kept) for each in value]
    return value if name in kept else MASK
