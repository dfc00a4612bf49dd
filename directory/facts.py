"""What other rooms need to know of a service, without its database row."""

from dataclasses import dataclass
from uuid import UUID

from directory.geo import Position


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Facts of one service for pure mappings. `position` is that of its postcode, when known."""

    id: UUID
    service_id: str
    name: str
    active: bool
    provider_name: str
    provider_ods: str
    address_lines: tuple[str, ...] = ()
    postcode: str = ""
    phone: str = ""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class ServingService:
    """A service that our receiver answers for, and whether the one who asks may use it."""

    facts: ServiceFacts
    permitted: bool
