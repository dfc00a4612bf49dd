"""Every Reference and Coding of a message, found in one pass; paths are worked out only for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource

Found = list[tuple[Resource, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Elements:
    """Pairs of the resource of the Bundle and an element somewhere in it."""

    references: Found = field(default_factory=list)
    codings: Found = field(default_factory=list)


def scan(bundle: MessageBundle) -> Elements:
    """Iterative, so that deep nesting cannot exhaust the stack; plain, for it walks over all of a message."""
    found = Elements()
    for _, resource in bundle.entries:
        stack: list[Any] = [resource]
        while stack:
            item = stack.pop()
            if isinstance(item, dict):
                if "reference" in item:
                    if isinstance(item["reference"], str):
                        found.references.append((resource, item))
                elif (
                    "system" in item and isinstance(item["system"], str) and isinstance(item.get("code"), str)
                ):
                    found.codings.append((resource, item))
                item = item.values()
            for member in item:
                kind = type(member)
                if kind is dict or kind is list:
                    stack.append(member)
    return found


def located(bundle: MessageBundle, wrong: Found) -> Iterator[tuple[str, dict[str, Any]]]:
    """The elements with the FHIRPath of each, resource by resource."""
    by_resource: dict[int, tuple[Resource, set[int]]] = {}
    for resource, element in wrong:
        by_resource.setdefault(id(resource), (resource, set()))[1].add(id(element))
    for resource, elements in by_resource.values():
        yield from _within(resource, bundle.path_of(resource), elements)


def _within(resource: Resource, path: str, wanted: set[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    stack: list[tuple[Any, str]] = [(resource, path)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, list):
            stack.extend((member, f"{place}[{at}]") for at, member in reversed(list(enumerate(item))))
        elif isinstance(item, dict):
            if id(item) in wanted:
                yield place, item
            stack.extend((member, f"{place}.{name}") for name, member in reversed(item.items()))
