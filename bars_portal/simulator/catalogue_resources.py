"""HealthcareService and Endpoint as the catalogue reads them: who owns one, what names it, what is private.

The specification's models are loose R4: one reference or a list, a Coding or a CodeableConcept; tokens are
compared without the scheme of their system (api.md section 5).
"""

from collections.abc import Iterator
from typing import Any

from bars_portal.simulator.catalogue_outcomes import CatalogueError, CatalogueRefused

Resource = dict[str, Any]

SERVICE, ENDPOINT, TEMPLATE = "HealthcareService", "Endpoint", "template"
DOS_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"
CONNECTION_SYSTEM = "https://terminology.hl7.org/CodeSystem/endpoint-connection-type"
PAYLOAD_SYSTEM = "https://terminology.hl7.org/CodeSystem/endpoint-payload-type"
_STATUSES = frozenset({"active", "suspended", "error", "off", "entered-in-error", "test"})


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
    return {
        str(each["identifier"].get("value")).upper()
        for each in objects(value)
        if isinstance(each.get("identifier"), dict)
        and bare(each["identifier"].get("system")) == bare(ODS_SYSTEM)
    }


def owners(endpoint: Resource) -> set[str]:
    return organisations(endpoint.get("managingOrganization"))


def codes(value: object) -> set[str]:
    """Codes of Codings and CodeableConcepts."""
    found = set()
    for each in objects(value):
        inner = list(objects(each["coding"])) if "coding" in each else [each]
        found |= {str(coding.get("code")) for coding in inner}
    return found


def is_private(endpoint: Resource) -> bool:
    header = endpoint.get("header")
    return "private" in [str(each).lower() for each in (header if isinstance(header, list) else [header])]


def shown_to(resource: Resource, organisation: str) -> Resource:
    """A private address is left out, unless its owner asks."""
    if is_private(resource) and organisation not in owners(resource):
        return {name: value for name, value in resource.items() if name != "address"}
    return resource


def endpoint_ids(service: Resource) -> list[str]:
    """Ids of the Endpoints that a HealthcareService refers to."""
    references = [str(each.get("reference")) for each in objects(service.get("endpoint"))]
    return [each.removeprefix("Endpoint/").lower() for each in references if each.startswith("Endpoint/")]


def check(kind: str, resource: Resource) -> None:
    """What a body must hold. Raises CatalogueRefused."""
    expected = SERVICE if kind == SERVICE else ENDPOINT
    _need(
        resource.get("resourceType") == expected, CatalogueError.STRUCTURE, f"The body must be a {expected}."
    )
    if kind == SERVICE:
        _check_service(resource)
    else:
        _check_endpoint(kind, resource)


def _check_service(resource: Resource) -> None:
    numbers = dos_ids(resource)
    _need(bool(numbers), CatalogueError.REQUIRED, "identifier: a DoS service id is missing.")
    fits = len(numbers) == 1 and numbers[0].isascii() and numbers[0].isdigit() and len(numbers[0]) <= 20
    _need(fits, CatalogueError.VALUE, "identifier: one DoS service id of 1 to 20 digits is needed.")
    _need(
        bool(organisations(resource.get("providedBy"))),
        CatalogueError.REQUIRED,
        "providedBy: an ODS code is missing.",
    )
    active = resource.get("active", True)
    _need(isinstance(active, bool), CatalogueError.VALUE, "active: this is neither true nor false.")


def _check_endpoint(kind: str, resource: Resource) -> None:
    _need(bool(identifiers(resource)), CatalogueError.REQUIRED, "identifier: it is missing.")
    _need(
        str(resource.get("status")) in _STATUSES,
        CatalogueError.VALUE,
        "status: this is no status of an Endpoint.",
    )
    _need(bool(owners(resource)), CatalogueError.REQUIRED, "managingOrganization: an ODS code is missing.")
    for name in ("connectionType", "payloadType"):
        _need(bool(codes(resource.get(name))), CatalogueError.REQUIRED, f"{name}: a code is missing.")
    address = resource.get("address")
    _need(isinstance(address, str) and bool(address), CatalogueError.REQUIRED, "address: it is missing.")
    if kind == TEMPLATE:
        _need("period" not in resource, CatalogueError.VALUE, "period: a template has none.")


def _need(true: bool, error: CatalogueError, diagnostics: str) -> None:
    if not true:
        raise CatalogueRefused(error, diagnostics)
