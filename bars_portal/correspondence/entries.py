"""Entries of Bundles, (fullUrl, resource), references between them, and whom a message is between. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.json import references

# Entries of Bundles, (fullUrl, resource), and the references between them.


Entry = tuple[str, Resource]


def full_url(resource_id: UUID | str) -> str:
    return f"urn:uuid:{resource_id}"


# A pure function, and a slow one: an answer about the same diaries asks for the same texts again.
@lru_cache(maxsize=4096)
def derived_url(owner: UUID, part: str) -> str:
    """The same fullUrl each time for one part of one thing, so that a message can be built again."""
    return full_url(uuid5(owner, part))


def stored(entries: Iterable[Entry]) -> list[list[Any]]:
    """As JSON keeps them: [[fullUrl, resource], ...]."""
    return [[url, resource] for url, resource in entries]


def clean(value: Any) -> Any:
    """A copy without NUL characters, which PostgreSQL does not store."""
    return with_references(value, lambda reference: reference)


def with_references(value: Any, rename: Callable[[str], str | None]) -> Any:
    """A deep copy with every Reference.reference renamed; None drops it, and what it leaves empty."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        members = (with_references(each, rename) for each in value)
        return [each for each in members if each not in ({}, [])]
    if not isinstance(value, dict):
        return value
    renamed = {name.replace("\x00", ""): with_references(each, rename) for name, each in value.items()}
    if isinstance(value.get("reference"), str):
        renamed["reference"] = rename(value["reference"])
    return {name: each for name, each in renamed.items() if each is not None and each not in ({}, [])}


def referred_to(resource: Resource, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that a resource refers to, directly or through others."""
    known = dict(entries)
    reached: dict[str, Resource] = {}
    waiting = [resource]
    while waiting:
        found = [each["reference"] for each in references(waiting.pop())]
        fresh = [url for url in found if url in known and url not in reached]
        reached.update((url, known[url]) for url in fresh)
        waiting += [known[url] for url in fresh]
    return [(url, each) for url, each in entries if url in reached]


def distinct_urls(groups: Sequence[tuple[UUID, list[Entry]]]) -> list[list[Entry]]:
    """Groups of entries for one Bundle: a fullUrl that an earlier group has is replaced, references with it.

    Each group comes with an id of its own. One sender may have used the same fullUrl for two bookings.
    """
    seen: set[str] = set()
    result = []
    for owner, entries in groups:
        clashing = {url: derived_url(owner, url) for url, _ in entries if url in seen}
        renamed = _renamed(entries, clashing) if clashing else entries
        seen.update(url for url, _ in renamed)
        result.append(renamed)
    return result


def _renamed(entries: Sequence[Entry], names: dict[str, str]) -> list[Entry]:
    return [
        (names.get(url, url), with_references(each, lambda text: names.get(text, text)))
        for url, each in entries
    ]


@dataclass(frozen=True)
class Parties:
    """Organization resources of both sides and the HealthcareService as our directory knows it."""

    sender: Resource
    receiver: Resource
    service: Resource
