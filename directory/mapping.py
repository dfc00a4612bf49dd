"""Services, their places and organisations as FHIR (UK Core). Pure: nothing is shared with the input."""

from datetime import datetime

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, SERVICE_ID_SYSTEM
from bars_portal.exchange.fhir.people import dialled_phone
from bars_portal.exchange.fhir.profiles import uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from directory.ports import ServiceFacts


def healthcare_service_to_fhir(
    facts: ServiceFacts, *, now: datetime, location_url: str | None = None, provided_by_url: str | None = None
) -> Resource:
    """HealthcareService; the URLs are fullUrls of the Location and Organization in the same Bundle.

    Without `provided_by_url` the provider is named by its ODS code alone.
    """
    resource: Resource = {
        **_head("HealthcareService", now),
        "id": str(facts.id),
        "identifier": [{"system": SERVICE_ID_SYSTEM, "value": facts.service_id}],
        "active": facts.active,
        "providedBy": _provider(facts, provided_by_url),
        "name": facts.name,
        "telecom": _telecom(facts.phone),
    }
    if location_url is not None:
        resource["location"] = [{"reference": location_url}]
    return _without_empty(resource)


def location_to_fhir(facts: ServiceFacts, *, location_id: str, now: datetime, name: str = "") -> Resource:
    """Location of a service: address and position as far as known. `name`: a place inside it, if any."""
    resource: Resource = {
        **_head("Location", now),
        "id": location_id,
        "name": name or facts.name,
        "telecom": _telecom(facts.phone),
        "address": _address(facts),
    }
    if facts.position is not None:
        place = {"longitude": facts.position.longitude, "latitude": facts.position.latitude}
        resource["position"] = place
    return _without_empty(resource)


def organisation_to_fhir(
    *, name: str, ods_code: str, now: datetime, phone: str = "", organisation_id: str | None = None
) -> Resource:
    """Organization by its ODS code."""
    resource: Resource = {
        **_head("Organization", now),
        "id": organisation_id or "",
        "identifier": [{"system": ODS_SYSTEM, "value": ods_code}],
        "name": name,
        "telecom": _telecom(phone),
    }
    return _without_empty(resource)


def _head(resource_type: str, now: datetime) -> Resource:
    meta = {"lastUpdated": format_instant(now), "profile": [uk_core(resource_type)]}
    return {"resourceType": resource_type, "meta": meta}


def _provider(facts: ServiceFacts, url: str | None) -> Resource:
    if url is not None:
        return {"reference": url}
    identifier = {"system": ODS_SYSTEM, "value": facts.provider_ods}
    return {"identifier": identifier, "display": facts.provider_name}


def _telecom(phone: str) -> list[Resource]:
    return [{"system": "phone", "value": dialled_phone(phone), "use": "work"}] if phone else []


def _address(facts: ServiceFacts) -> Resource:
    lines = [line for line in facts.address_lines if line]
    return _without_empty({"line": lines, "postalCode": facts.postcode})


def _without_empty(resource: Resource) -> Resource:
    """FHIR has no empty strings, lists or objects."""
    return {key: value for key, value in resource.items() if value not in ("", [], {})}
