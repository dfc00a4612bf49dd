"""HealthcareService and Endpoint as the catalogue holds them: who owns one, what names it, what is private.

The specification's models are loose R4: one reference or a list, a Coding or a CodeableConcept; tokens are
compared without the scheme of their system (api.md section 5).
"""

import logging
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from threading import RLock

import orjson

from bars_portal.simulator.fhir import Resource, child, operation_outcome
from bars_portal.simulator.outcomes import ERROR_CODES
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
