"""Where a target leads: catalogue.json, then the catalogue's resources, then the UserTest services."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from bars_portal.simulator.catalogue.resources import (
    ENDPOINT,
    SERVICE,
    CatalogueError,
    CatalogueRefused,
    CatalogueStore,
    Resource,
    bare,
    codes,
    endpoint_ids,
    identifiers,
)
from bars_portal.simulator.config import Clock, WatchedFile
from bars_portal.simulator.headers import TARGET_HEADER, Target
from bars_portal.simulator.outcomes import ProxyError, Refused
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL
from bars_portal.simulator.tkw.tables import services

# From a target to an address by the catalogue's own resources.
#
# Chain: identifier -> active HealthcareService -> its Endpoints -> the one that is active, within its period,
# of a FHIR connection and for BaRS payloads (api.md section 5).


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


# The endpoint catalogue: which base URL a target identifier leads to.
#
# Shape (api.md section 5, "Routing today"): {"NHSD-Target-Identifier": {system: {value: base URL}}}.


Routes = Mapping[str, Mapping[str, str]]


class Catalogue:
    """catalogue.json, parsed again whenever it changed; then the catalogue's own resources."""

    def __init__(self, path: Path, *, resolver: Resolver) -> None:
        self._resolver = resolver
        self._file: WatchedFile[Routes] = WatchedFile(path, parse=_parse, empty={})

    def base_url(self, target: Target) -> str:
        """The base URL without its trailing slash. Raises Refused; CatalogueRefused for several.

        A known system with an unknown value is 404 PROXY_NOT_FOUND; an unknown system breaks the live proxy's
        script, which its error handler turns into a 500 (api.md section 7, step 7).
        """
        routes = self._file.read()
        routed = routes.get(target.system, {}).get(target.value)
        base_url = routed or self._resolver.address(target)
        if base_url is None and target.system not in routes:
            raise Refused(ProxyError.RECEIVER_ERROR)
        if not base_url:
            raise Refused(ProxyError.TARGET_UNKNOWN)
        return base_url.removesuffix("/")

    def routes(self) -> list[tuple[str, str]]:
        """Value and base URL of every service, whatever its system."""
        return [pair for entries in self._file.read().values() for pair in entries.items()]


def _parse(content: bytes) -> Routes:
    loaded = orjson.loads(content)
    routes = loaded.get(TARGET_HEADER) if isinstance(loaded, dict) else None
    if not isinstance(routes, dict) or not all(isinstance(entries, dict) for entries in routes.values()):
        raise ValueError("catalogue.json must map systems to values to base URLs")
    return routes


# Where a target leads: the endpoint catalogue, and behind it the UserTest services, always at hand.


SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"


class Addresses(Protocol):
    """Whoever knows where targets live."""

    def base_url(self, target: Target) -> str:
        """The base URL without its trailing slash, or the name of who plays the service. Raises Refused."""
        ...


class Routing:
    """The catalogue's word counts; a UserTest service that it does not know is played by TKW."""

    def __init__(self, catalogue: Addresses) -> None:
        self._catalogue = catalogue

    def base_url(self, target: Target) -> str:
        """As in the catalogue. Raises Refused."""
        try:
            return self._catalogue.base_url(target)
        except Refused:
            if target.system == SERVICE_SYSTEM and target.value in services():
                return TKW_BASE_URL
            raise
