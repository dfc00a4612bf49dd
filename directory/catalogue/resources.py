"""What the Endpoint Catalogue API answers: HealthcareService and Endpoint (api.md section 5), as entries.

Its models are loose R4: providedBy and managingOrganization come as lists or alone, connectionType as a
Coding or a CodeableConcept, header as a text or a list. Systems are compared without their scheme.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    SERVICE_ID_SYSTEM,
    InvalidIdentifier,
    ODSCode,
    ServiceID,
    is_uuid,
    same_system,
)
from bars_portal.exchange.fhir.json import as_dict, as_text, dicts
from bars_portal.exchange.fhir.timestamps import parse_instant
from directory.catalogue.entries import AddressRules, Catalogue, EndpointEntry, Faults, ServiceEntry, refuse

SOURCE = "api"
_STATUSES = frozenset({"active", "suspended", "error", "off", "entered-in-error", "test"})
# FHIR has more words than the directory: whatever is not active cannot be used.
_KEPT_STATUS = {"active": "active", "suspended": "suspended", "error": "suspended"}
_LONGEST_NAME = 200

Json = dict[str, Any]


def pack_answers(
    *, organisations: Sequence[str], services: Sequence[Json], endpoints: Sequence[Json]
) -> bytes:
    """What the API answered as one file, so that it is previewed and applied like one."""
    return orjson.dumps({"organisations": organisations, "services": services, "endpoints": endpoints})


def read_answers(content: bytes, *, addresses: AddressRules) -> Catalogue:
    """What `pack_answers` packed. Raises BadCatalogue."""
    packed = orjson.loads(content)
    if not isinstance(packed, dict) or set(packed) != {"organisations", "services", "endpoints"}:
        raise refuse("File", "these are no answers of the Endpoint Catalogue API")
    return read_resources(**packed, addresses=addresses)


def read_resources(
    *,
    services: Iterable[Json],
    endpoints: Iterable[Json],
    organisations: Iterable[str] | None,
    addresses: AddressRules,
) -> Catalogue:
    """Raises BadCatalogue with the path of everything that is wrong."""
    faults = Faults()
    by_id = _by_id(endpoints, "Endpoint", faults)
    read = [
        (entry, resource)
        for resource in _by_id(services, "HealthcareService", faults).values()
        if (entry := _service(resource, faults)) is not None
    ]
    _refuse_duplicates([entry for entry, _ in read], faults)
    ways = [way for entry, resource in read for way in _ways(entry, resource, by_id, addresses, faults)]
    faults.raise_if_any()
    scope = None if organisations is None else frozenset(organisations)
    return Catalogue(SOURCE, tuple(entry for entry, _ in read), tuple(ways), scope)


def _by_id(resources: Iterable[Json], kind: str, faults: Faults) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for place, resource in enumerate(resources):
        key = as_text(resource.get("id"))
        if resource.get("resourceType") != kind:
            faults.add(f"{kind}[{place}].resourceType", f"this is no {kind}")
        elif not is_uuid(key):
            faults.add(f"{kind}[{place}].id", "the id is no UUID")
        elif found.setdefault(key.lower(), resource) != resource:
            faults.add(f"{kind}/{key}", "this id stands for two different resources")
    return found


def _service(resource: Json, faults: Faults) -> ServiceEntry | None:
    where = f"HealthcareService/{resource['id']}"
    service_id = _service_id(resource, where, faults)
    provider = organisation_of(resource.get("providedBy"))
    said: Json = {}
    if isinstance(resource.get("active"), bool):
        said["active"] = resource["active"]
    elif "active" in resource:
        faults.add(f"{where}.active", "this is neither true nor false")
    if name := _name(resource, where, faults):
        said["name"] = name
    if not provider:
        faults.add(f"{where}.providedBy", "no organisation is named by its ODS code")
    return ServiceEntry(service_id, said, provider, "", UUID(resource["id"])) if service_id else None


def _service_id(resource: Json, where: str, faults: Faults) -> str:
    values = values_in(resource.get("identifier"), SERVICE_ID_SYSTEM)
    if len(values) != 1:
        faults.add(f"{where}.identifier", f"there are {len(values)} DoS service ids instead of one")
        return ""
    try:
        return ServiceID.parse(values[0]).value
    except InvalidIdentifier:
        faults.add(f"{where}.identifier", "the DoS service id has 1 to 20 digits")
        return ""


def _refuse_duplicates(entries: Iterable[ServiceEntry], faults: Faults) -> None:
    first: dict[str, UUID | None] = {}
    for entry in entries:
        if first.setdefault(entry.service_id, entry.catalogue_id) != entry.catalogue_id:
            faults.add(
                f"HealthcareService/{entry.catalogue_id}.identifier",
                f"service {entry.service_id} is HealthcareService/{first[entry.service_id]} already",
            )


def _ways(
    entry: ServiceEntry,
    resource: Json,
    endpoints: Mapping[str, Json],
    addresses: AddressRules,
    faults: Faults,
) -> Iterator[EndpointEntry]:
    for place, reference in enumerate(dicts(resource.get("endpoint"))):
        where = f"HealthcareService/{entry.catalogue_id}.endpoint[{place}]"
        kind, _, key = as_text(reference.get("reference")).rpartition("/")
        if kind.endswith("HealthcareService"):
            faults.add(where, "a service refers to a service as its endpoint, which goes round in a circle")
        elif not kind.endswith("Endpoint") or key.lower() not in endpoints:
            faults.add(where, "this endpoint is not in the catalogue")
        else:
            yield _endpoint(entry.service_id, endpoints[key.lower()], addresses, faults)


def _endpoint(service_id: str, resource: Json, addresses: AddressRules, faults: Faults) -> EndpointEntry:
    where = f"Endpoint/{resource['id']}"
    status = as_text(resource.get("status"))
    if status not in _STATUSES:
        faults.add(f"{where}.status", "this is no status of an Endpoint")
    private = "private" in _texts(resource.get("header"))
    said: Json = {
        "status": _KEPT_STATUS.get(status, "off"),
        "connection_type": _code(resource.get("connectionType"))[:20],
        "payload_type": _code(resource.get("payloadType"))[:20],
        "private": private,
        **_period(resource, where, faults),
    }
    if name := _name(resource, where, faults):
        said["name"] = name
    # A private address is shown to its owner alone; what we knew of it stays.
    if "address" in resource or not private:
        said["address"] = addresses.note(resource.get("address"), f"{where}.address", faults)
    managed_by = organisation_of(resource.get("managingOrganization"))
    return EndpointEntry(service_id, said, managed_by, UUID(resource["id"]))


def _name(resource: Json, where: str, faults: Faults) -> str:
    name = as_text(resource.get("name")).strip()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        faults.add(f"{where}.name", f"a name has at most {_LONGEST_NAME} characters on one line")
    return name


def _period(resource: Json, where: str, faults: Faults) -> Json:
    period = as_dict(resource.get("period"))
    read: dict[str, datetime | None] = {}
    for end in ("start", "end"):
        text = as_text(period.get(end))
        try:
            read[f"period_{end}"] = parse_instant(text) if text else None
        except ValueError:
            faults.add(f"{where}.period.{end}", "this is no time with a time zone")
    start, stop = read.get("period_start"), read.get("period_end")
    if start and stop and stop <= start:
        faults.add(f"{where}.period", "it ends before it starts")
    return read


def organisation_of(value: object) -> str:
    """The ODS code of a Reference, or of the first in a list of them; "" when there is none."""
    for reference in [value] if isinstance(value, dict) else list(dicts(value)):
        for code in values_in([as_dict(as_dict(reference).get("identifier"))], ODS_SYSTEM):
            try:
                return ODSCode.parse(code).value
            except InvalidIdentifier:
                continue
    return ""


def values_in(identifiers: object, system: str) -> list[str]:
    """The values that a list of Identifiers has in one system."""
    return [
        as_text(each.get("value"))
        for each in dicts(identifiers)
        if same_system(as_text(each.get("system")), system) and as_text(each.get("value"))
    ]


def _code(value: object) -> str:
    """The first code of a Coding, a CodeableConcept, or a list of either."""
    for each in [value] if isinstance(value, dict) else list(dicts(value)):
        inner = next(dicts(as_dict(each).get("coding")), as_dict(each))
        if code := as_text(inner.get("code")):
            return code
    return ""


def _texts(value: object) -> list[str]:
    return [str(each).strip().lower() for each in (value if isinstance(value, list) else [value])]
