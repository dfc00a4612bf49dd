"""What a catalogue says, in one form for every source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

# Values by the names of the model's fields; what a source does not say is not there.
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service. `provider` is an ODS code, or "" when the source names nobody."""

    service_id: str
    said: Said
    provider: str = ""
    provider_name: str = ""
    catalogue_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """One way to reach one service. Without a catalogue id a source knows one endpoint a service."""

    service_id: str
    said: Said
    managed_by: str = ""
    catalogue_id: UUID | None = None


@dataclass(frozen=True)
class Catalogue:
    """`source` is a value of `directory.models.Source`. Services of that source that it leaves out are gone.

    `organisations`: only theirs were asked for (ODS codes), so only theirs can be gone; None: everybody's.
    `notes` are sentences about what was left out on purpose.
    """

    source: str
    services: tuple[ServiceEntry, ...]
    endpoints: tuple[EndpointEntry, ...]
    organisations: frozenset[str] | None = None
    notes: tuple[str, ...] = field(default=())
