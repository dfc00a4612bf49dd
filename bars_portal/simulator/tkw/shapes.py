"""UK Core shaped resources that TKW's answers are put together from. Ids depend on the service alone."""

import uuid
from datetime import datetime
from typing import Any

from bars_portal.simulator.fhir import Resource
from bars_portal.simulator.fhir import stamp as stamp
from bars_portal.simulator.tkw.tables import displays, services

Entry = tuple[str, Resource]

_NAMESPACE = uuid.UUID("5f0f4a52-7a3c-5d0e-9a94-1f9a3a4d6c11")
_PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
CATEGORY = "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"
SERVICE_ID_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"


def stable_id(*parts: str) -> str:
    """The same UUID for the same words, so that repeated searches agree."""
    return str(uuid.uuid5(_NAMESPACE, "|".join(parts)))


def coding(system: str, code: str) -> Resource:
    """A Coding with its display. Raises KeyError for a code that codes.csv has not."""
    return {"system": system, "code": code, "display": displays()[system, code]}


def full_url(*parts: str) -> str:
    """An entry's address; never the resource's own id."""
    return f"urn:uuid:{stable_id('entry', *parts)}"


def resource(kind: str, identity: str, now: datetime, **elements: Any) -> Resource:
    """A resource with id and meta, its elements after that."""
    meta = {"lastUpdated": stamp(now), "profile": [_PROFILE + kind]}
    return {"resourceType": kind, "id": identity, "meta": meta, **elements}


def schedule(service_id: str, now: datetime, *, with_people: bool) -> Entry:
    """The service's diary."""
    actors = ["HealthcareService", *(("Practitioner", "PractitionerRole") if with_people else ())]
    references = [{"reference": full_url(kind, service_id)} for kind in actors]
    return _entry("Schedule", service_id, now, actor=references)


def healthcare_service(service_id: str, now: datetime, *, with_location: bool) -> Entry:
    """The service itself."""
    place = {"location": [{"reference": full_url("Location", service_id)}]} if with_location else {}
    identifier = [{"system": SERVICE_ID_SYSTEM, "value": service_id}]
    return _entry(
        "HealthcareService",
        service_id,
        now,
        identifier=identifier,
        **place,
        name=name_of(service_id),
    )


def name_of(service_id: str) -> str:
    """The service's published name."""
    known = services().get(service_id)
    return known.name if known else "TESTING ONLY BaRS Test Service"


def practitioner(service_id: str, now: datetime) -> Entry:
    """Who is seen."""
    return _entry(
        "Practitioner", service_id, now, name=[{"family": "Tester", "given": ["Toni"], "prefix": ["Dr"]}]
    )


def practitioner_role(service_id: str, now: datetime) -> Entry:
    """As what they are seen."""
    code = coding("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor")
    person = {"reference": full_url("Practitioner", service_id)}
    return _entry("PractitionerRole", service_id, now, practitioner=person, code=[{"coding": [code]}])


def location(service_id: str, now: datetime) -> Entry:
    """Where it is."""
    address = {"line": ["1 Test Street"], "city": "Leeds", "postalCode": "LS1 4AP"}
    return _entry("Location", service_id, now, name="TESTING ONLY BaRS Test Site", address=address)


def _entry(kind: str, service_id: str, now: datetime, **elements: Any) -> Entry:
    return full_url(kind, service_id), resource(kind, stable_id(kind, service_id), now, **elements)


def searchset(matches: list[Entry], included: list[Entry], *, link: str, now: datetime) -> Resource:
    """A searchset Bundle; `total` counts the matches."""
    entries = [*((entry, "match") for entry in matches), *((entry, "include") for entry in included)]
    bundle: Resource = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"lastUpdated": stamp(now)},
        "type": "searchset",
        "timestamp": stamp(now),
        "total": len(matches),
        "link": [{"relation": "self", "url": link}],
    }
    if entries:
        bundle["entry"] = [
            {"fullUrl": url, "resource": content, "search": {"mode": mode}}
            for (url, content), mode in entries
        ]
    return bundle
