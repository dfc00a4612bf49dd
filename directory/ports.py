"""Where the directory meets other rooms: what they may know of a service, and what they tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir.access import AccessRule
from bars_portal.ports import Port
from directory.postcodes import Position


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
    allowed_callers: frozenset[str] = frozenset()
    access_rules: tuple[AccessRule, ...] = ()


# Now (aware) to the next free moment of every service that has one, by the service's primary key.
NextFree = Callable[[datetime], Mapping[UUID, datetime]]

next_free = Port[NextFree]("when services are next free", unplugged=lambda now: {})
