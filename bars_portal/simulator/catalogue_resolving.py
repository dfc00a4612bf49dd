"""From a target to an address by the catalogue's own resources.

Chain: identifier -> active HealthcareService -> its Endpoints -> the one that is active, within its period,
of a FHIR connection and for BaRS payloads (api.md section 5).
"""

from collections.abc import Iterator
from datetime import datetime

from bars_portal.simulator.catalogue_outcomes import CatalogueError, CatalogueRefused
from bars_portal.simulator.catalogue_resources import (
    ENDPOINT,
    SERVICE,
    Resource,
    bare,
    codes,
    endpoint_ids,
    identifiers,
)
from bars_portal.simulator.catalogue_store import CatalogueStore
from bars_portal.simulator.config import Clock
from bars_portal.simulator.target import Target

CONNECTIONS = frozenset({"hl7-fhir-rest", "hl7-fhir-msg"})
PAYLOAD = "bars"


class Resolver:
    """Answers for what the routes of catalogue.json do not name."""

    def __init__(self, store: CatalogueStore, *, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def address(self, target: Target) -> str | None:
        """None when there is none. Raises CatalogueRefused when there are several."""
        usable = [each for each in self._endpoints(target) if _is_usable(each, self._clock())]
        if len(usable) > 1:
            raise CatalogueRefused(CatalogueError.SEVERAL, "The target matches several endpoints.")
        return str(usable[0]["address"]) if usable else None

    def _endpoints(self, target: Target) -> Iterator[Resource]:
        wanted = (bare(target.system), target.value)
        for service in self._store.all(SERVICE):
            if wanted in identifiers(service) and service.get("active", True):
                found = (self._store.get(ENDPOINT, key) for key in dict.fromkeys(endpoint_ids(service)))
                yield from (each for each in found if each is not None)


def _is_usable(endpoint: Resource, now: datetime) -> bool:
    return (
        endpoint.get("status") == "active"
        and bool(codes(endpoint.get("connectionType")) & CONNECTIONS)
        and PAYLOAD in codes(endpoint.get("payloadType"))
        and _covers(endpoint.get("period"), now)
    )


def _covers(period: object, now: datetime) -> bool:
    """A period that cannot be read covers nothing."""
    if period is None:
        return True
    if not isinstance(period, dict):
        return False
    try:
        begun = "start" not in period or _moment(period["start"]) <= now
        over = "end" in period and _moment(period["end"]) <= now
    except (TypeError, ValueError):
        return False
    return begun and not over


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
