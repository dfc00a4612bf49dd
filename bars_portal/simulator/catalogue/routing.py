"""Where a target leads."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import orjson

from bars_portal.simulator.catalogue.resources import (
    ENDPOINT,
    SERVICE,
    CatalogueError,
    CatalogueStore,
    bare,
    codes,
    endpoint_ids,
    identifiers,
    need,
)
from bars_portal.simulator.config import Clock, WatchedFile
from bars_portal.simulator.fhir import Resource, read_instant
from bars_portal.simulator.headers import TARGET_HEADER, Target
from bars_portal.simulator.outcomes import ProxyError, Refused
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL
from bars_portal.simulator.tkw.tables import services

CONNECTIONS = frozenset({"hl7-fhir-rest", "hl7-fhir-msg"})
PAYLOAD = "bars"


SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
Routes = Mapping[str, Mapping[str, str]]


class Catalogue:
    """catalogue.json, read again when it changes; then resources; then the UserTest services, always there.

    The file's shape (api.md section 5, "Routing today"): {"NHSD-Target-Identifier": {system: {value: URL}}}.
    The resources' chain: identifier -> active HealthcareService -> its Endpoints -> the one that is active,
    within its period, of a FHIR connection and for BaRS payloads (api.md section 5).
    """

    def __init__(self, path: Path, *, store: CatalogueStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._file: WatchedFile[Routes] = WatchedFile(path, parse=_parse, empty={})

    def base_url(self, target: Target) -> str:
        """The base URL without its trailing slash, or the name of who plays the service. Raises Refused.

        A known system with an unknown value is 404 PROXY_NOT_FOUND; an unknown system breaks the live proxy's
        script, which its error handler turns into a 500 (api.md section 7, step 7).
        """
        routes = self._file.read()
        base_url = routes.get(target.system, {}).get(target.value) or self._address(target)
        if not base_url and target.system == SERVICE_SYSTEM and target.value in services():
            return TKW_BASE_URL
        if base_url is None and target.system not in routes:
            raise Refused(ProxyError.RECEIVER_ERROR)
        if not base_url:
            raise Refused(ProxyError.TARGET_UNKNOWN)
        return base_url.removesuffix("/")

    def routes(self) -> list[tuple[str, str]]:
        """Value and base URL of every service, whatever its system."""
        return [pair for entries in self._file.read().values() for pair in entries.items()]

    def _address(self, target: Target) -> str | None:
        """By the resources; None when there is none. Raises CatalogueRefused when there are several."""
        usable = [each for each in self._endpoints(target) if _is_usable(each, self._clock())]
        need(len(usable) < 2, CatalogueError.SEVERAL, "The target matches several endpoints.")
        return str(usable[0]["address"]) if usable else None

    def _endpoints(self, target: Target) -> Iterator[Resource]:
        wanted = (bare(target.system), target.value)
        for service in self._store.all(SERVICE):
            if wanted in identifiers(service) and service.get("active", True):
                found = (self._store.get(ENDPOINT, key) for key in dict.fromkeys(endpoint_ids(service)))
                yield from (each for each in found if each is not None)


def _parse(content: bytes) -> Routes:
    loaded = orjson.loads(content)
    routes = loaded.get(TARGET_HEADER) if isinstance(loaded, dict) else None
    if not isinstance(routes, dict) or not all(isinstance(entries, dict) for entries in routes.values()):
        raise ValueError("catalogue.json must map systems to values to base URLs")
    return routes


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
        begun = "start" not in period or read_instant(str(period["start"])) <= now
        over = "end" in period and read_instant(str(period["end"])) <= now
    except (TypeError, ValueError, OverflowError):
        return False
    return begun and not over
