"""What the directory knows, and what a catalogue would change of it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

# {"name": (before, after)}
Fields = dict[str, tuple[Any, Any]]
WayKey = tuple[str, UUID | None]


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service of the directory. `values` are by name of the model's field, with the provider's ODS code."""

    key: UUID
    source: str
    hosted: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KnownEndpoint:
    key: UUID
    source: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """By service id; endpoints by service id and their id in a catalogue, if they have one."""

    services: Mapping[str, KnownService]
    endpoints: Mapping[WayKey, KnownEndpoint]


@dataclass(frozen=True, slots=True)
class Row:
    """One row to insert (`key` is None) or to update, with the fields that differ."""

    key: UUID | None
    fields: Fields

    @property
    def after(self) -> dict[str, Any]:
        return {name: after for name, (_, after) in self.fields.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """One service that differs: added, changed or removed. `service` is None when only endpoints differ."""

    kind: str
    service_id: str
    service: Row | None
    endpoints: tuple[tuple[UUID | None, Row], ...]

    def fields(self) -> Fields:
        """Everything that differs, endpoints' fields by "endpoint address"."""
        found: Fields = dict(self.service.fields) if self.service else {}
        for number, (_, way) in enumerate(self.endpoints):
            prefix = "endpoint" if number == 0 else f"endpoint {number + 1}"
            found.update({f"{prefix} {name}": pair for name, pair in way.fields.items()})
        return found


@dataclass(frozen=True)
class Difference:
    """`unchanged` counts services that are as the catalogue says."""

    changes: tuple[Change, ...]
    unchanged: int

    def count(self, kind: str) -> int:
        return sum(change.kind == kind for change in self.changes)

    @property
    def fingerprint(self) -> str:
        """The same for the same differences: what was shown is what is applied."""
        digest = hashlib.sha256()
        for change in self.changes:
            digest.update(repr((change.kind, change.service_id, sorted(change.fields().items()))).encode())
        return digest.hexdigest()
