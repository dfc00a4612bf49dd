"""HealthcareService and Endpoint as the catalogue holds them, and where a target leads by them.

Who owns one, what names it, what is private.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from threading import RLock

import orjson

from bars_portal.simulator.config import Clock, WatchedFile
from bars_portal.simulator.fhir import Resource, child, operation_outcome, read_instant
from bars_portal.simulator.headers import TARGET_HEADER, Target
from bars_portal.simulator.outcomes import ERROR_CODES, ProxyError, Refused
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL
from bars_portal.simulator.tkw.tables import services
from bars_portal.simulator.wire import Answer, Request, json_answer

SERVICE, ENDPOINT, TEMPLATE = "HealthcareService", "Endpoint", "template"
DOS_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"
CONNECTION_SYSTEM = "https://terminology.hl7.org/CodeSystem/endpoint-connection-type"
PAYLOAD_SYSTEM = "https://terminology.hl7.org/CodeSystem/endpoint-payload-type"
_STATUSES = frozenset({"active", "suspended", "error", "off", "entered-in-error", "test"})
FHIR_MEDIA = "application/fhir+json;version=1.4.0"
FILE = "endpoint-catalogue.json"
log = logging.getLogger("simulator")


class CatalogueError(Enum):
    """HTTP status, details code, issue code."""

    REQUIRED = (400, "BAD_REQUEST", "required")
    VALUE = (400, "BAD_REQUEST", "value")
    STRUCTURE = (400, "BAD_REQUEST", "structure")
    NOT_OWNER = (403, "SEND_FORBIDDEN", "forbidden")
    NOT_FOUND = (404, "NOT_FOUND", "not-found")
    SEVERAL = (404, "NOT_FOUND", "multiple-matches")
    WRONG_VERB = (405, "PROXY_METHOD_NOT_ALLOWED", "not-supported")
    DUPLICATE = (409, "BAD_REQUEST", "duplicate")


class CatalogueRefused(Exception):
    """This request is answered with an error; the message is its diagnostics."""

    def __init__(self, error: CatalogueError, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.error = error

    def answer(self, request: Request) -> Answer:
        """The error, told to the sender."""
        status, code, issue = self.error.value
        outcome = operation_outcome(issue, {"system": ERROR_CODES, "code": code}, str(self))
        return json_answer(status, outcome, *request.sent_ids(), media=FHIR_MEDIA)


def need(true: bool, error: CatalogueError, diagnostics: str) -> None:
    """Raises CatalogueRefused unless it is true."""
    if not true:
        raise CatalogueRefused(error, diagnostics)


def objects(value: object) -> Iterator[Resource]:
    """The objects of a list, or the one object."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield each


def bare(system: object) -> str:
    """A system without its scheme and case."""
    return str(system).lower().removeprefix("https://").removeprefix("http://").rstrip("/")


def identifiers(resource: Resource) -> set[tuple[str, str]]:
    """(bare system, value)"""
    return {
        (bare(each.get("system")), str(each.get("value"))) for each in objects(resource.get("identifier"))
    }


def dos_ids(resource: Resource) -> list[str]:
    return sorted(value for system, value in identifiers(resource) if system == bare(DOS_SYSTEM))


def organisations(value: object) -> set[str]:
    """ODS codes of a reference or of several, in capitals."""
    named = (child(each.get("identifier")) for each in objects(value))
    return {str(each.get("value")).upper() for each in named if bare(each.get("system")) == bare(ODS_SYSTEM)}


def owners(endpoint: Resource) -> set[str]:
    return organisations(endpoint.get("managingOrganization"))


def codes(value: object) -> set[str]:
    """Codes of Codings and CodeableConcepts."""
    found = set()
    for each in objects(value):
        inner = list(objects(each["coding"])) if "coding" in each else [each]
        found |= {str(coding.get("code")) for coding in inner}
    return found


def shown_to(resource: Resource, organisation: str) -> Resource:
    """A private address is left out, unless its owner asks."""
    header = resource.get("header")
    marks = [str(each).lower() for each in (header if isinstance(header, list) else [header])]
    if "private" in marks and organisation not in owners(resource):
        return {name: value for name, value in resource.items() if name != "address"}
    return resource


def endpoint_ids(service: Resource) -> list[str]:
    """Ids of the Endpoints that a HealthcareService refers to."""
    references = [str(each.get("reference")) for each in objects(service.get("endpoint"))]
    return [each.removeprefix("Endpoint/").lower() for each in references if each.startswith("Endpoint/")]


def check(kind: str, resource: Resource) -> None:
    """What a body must hold. Raises CatalogueRefused."""
    expected = SERVICE if kind == SERVICE else ENDPOINT
    right = resource.get("resourceType") == expected
    need(right, CatalogueError.STRUCTURE, f"The body must be a {expected}.")
    if kind == SERVICE:
        _check_service(resource)
    else:
        _check_endpoint(kind, resource)


def _check_service(resource: Resource) -> None:
    numbers = dos_ids(resource)
    need(bool(numbers), CatalogueError.REQUIRED, "identifier: a DoS service id is missing.")
    fits = len(numbers) == 1 and numbers[0].isascii() and numbers[0].isdigit() and len(numbers[0]) <= 20
    need(fits, CatalogueError.VALUE, "identifier: one DoS service id of 1 to 20 digits is needed.")
    provider = bool(organisations(resource.get("providedBy")))
    need(provider, CatalogueError.REQUIRED, "providedBy: an ODS code is missing.")
    active = resource.get("active", True)
    need(isinstance(active, bool), CatalogueError.VALUE, "active: this is neither true nor false.")


def _check_endpoint(kind: str, resource: Resource) -> None:
    need(bool(identifiers(resource)), CatalogueError.REQUIRED, "identifier: it is missing.")
    known = str(resource.get("status")) in _STATUSES
    need(known, CatalogueError.VALUE, "status: this is no status of an Endpoint.")
    need(bool(owners(resource)), CatalogueError.REQUIRED, "managingOrganization: an ODS code is missing.")
    for name in ("connectionType", "payloadType"):
        need(bool(codes(resource.get(name))), CatalogueError.REQUIRED, f"{name}: a code is missing.")
    address = resource.get("address")
    need(isinstance(address, str) and bool(address), CatalogueError.REQUIRED, "address: it is missing.")
    if kind == TEMPLATE:
        need("period" not in resource, CatalogueError.VALUE, "period: a template has none.")


class CatalogueStore:
    """Resources by kind and id. Safe between threads; `lock` joins a look and the write after it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.lock = RLock()
        self._kinds: dict[str, dict[str, Resource]] = self._load()

    def get(self, kind: str, key: str) -> Resource | None:
        with self.lock:
            return self._kinds[kind].get(key)

    def all(self, kind: str) -> Iterator[Resource]:
        """As of now, in the order in which they came."""
        with self.lock:
            return iter(list(self._kinds[kind].values()))

    def put(self, kind: str, key: str, resource: Resource) -> None:
        with self.lock:
            self._kinds[kind][key] = resource
            self._save()

    def delete(self, kind: str, key: str) -> None:
        with self.lock:
            self._kinds[kind].pop(key, None)
            self._save()

    def _load(self) -> dict[str, dict[str, Resource]]:
        empty: dict[str, dict[str, Resource]] = {kind: {} for kind in (SERVICE, ENDPOINT, TEMPLATE)}
        try:
            kept = orjson.loads(self._path.read_bytes())
        except FileNotFoundError:
            return empty
        except (OSError, ValueError):
            log.warning("%s could not be read: the catalogue starts empty", FILE)
            return empty
        return {kind: dict(kept.get(kind, {})) for kind in empty}

    def _save(self) -> None:
        """Beside the old one, then in its place: a reader never sees half of it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(self._kinds))
        os.replace(fresh, self._path)  # noqa: PTH105 - atomic, and says so


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
