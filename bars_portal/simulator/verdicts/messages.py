"""A message as the checks read it: the Bundle, its entries by type, what a reference points at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bars_portal.simulator.reading import Resource


@dataclass(frozen=True)
class Message:
    """A Bundle; nothing in it is trusted to have the right shape."""

    bundle: Resource

    @property
    def entries(self) -> list[Resource]:
        """Entries that hold a resource."""
        return [each for each in dicts(self.bundle.get("entry")) if isinstance(each.get("resource"), dict)]

    @property
    def header(self) -> Resource:
        """The first MessageHeader, empty when there is none."""
        return next(iter(self.of_type("MessageHeader")), {})

    @property
    def definition(self) -> str:
        """Last part of MessageHeader.definition."""
        return str(self.header.get("definition", "")).partition("|")[0].rpartition("/")[2]

    @property
    def focus(self) -> Resource:
        """What the header's first focus points at, empty when nothing."""
        wanted = first(self.header.get("focus")).get("reference")
        return next((each["resource"] for each in self.entries if each.get("fullUrl") == wanted), {})

    @property
    def event(self) -> str:
        """MessageHeader.eventCoding.code."""
        return str(child(self.header.get("eventCoding")).get("code", ""))

    @property
    def reason(self) -> str:
        """The first code of MessageHeader.reason."""
        return str(first(child(self.header.get("reason")).get("coding")).get("code", ""))

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of one type."""
        return [each["resource"] for each in self.entries if each["resource"].get("resourceType") == kind]


def codings(concepts: object) -> list[Resource]:
    """Every Coding of a CodeableConcept or a list of them."""
    listed = concepts if isinstance(concepts, list) else [concepts]
    return [coding for each in dicts(listed) for coding in dicts(each.get("coding"))]


def references(value: object) -> Iterator[str]:
    """Every reference in a structure, whatever it is called."""
    if isinstance(value, dict):
        told = value.get("reference")
        if isinstance(told, str):
            yield told
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def child(value: object) -> dict[str, Any]:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def dicts(value: object) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def first(value: object) -> dict[str, Any]:
    """The first object of a list, else an empty one."""
    return next(iter(dicts(value)), {})
