"""The service of a slot search: on a hot path, so one statement and no model instances."""

from dataclasses import dataclass

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.statements import ask
from directory.facts import ServiceFacts
from directory.geo import Position


@dataclass(frozen=True, slots=True)
class ServingService:
    """`allowed_callers`: ODS codes; empty means anyone."""

    facts: ServiceFacts
    allowed_callers: frozenset[str]


def serving_service(service_id: ServiceID) -> ServingService | None:
    """None unless our receiver answers for the service and it is active."""
    row = ask(_SERVING, service_id.value)
    if row is None:
        return None
    ident, name, provider_name, provider_ods, lines, postcode, phone, callers, latitude, longitude = row
    facts = ServiceFacts(
        id=ident,
        service_id=service_id.value,
        name=name,
        active=True,
        provider_name=provider_name,
        provider_ods=provider_ods,
        address_lines=tuple(str(line) for line in lines),
        postcode=postcode,
        phone=phone,
        position=Position(latitude, longitude) if latitude is not None else None,
    )
    return ServingService(facts, frozenset(callers))


# As `facts_of` finds it; the key of the postcode table is without blanks and in capitals.
_SERVING = """
SELECT service.id, service.name, provider.name, provider.ods_code,
    service.address_lines::json, service.postcode, service.phone, service.allowed_callers,
    place.latitude, place.longitude
FROM directory_healthcareservice AS service
JOIN accounts_organisation AS provider ON provider.id = service.provider_id
LEFT JOIN directory_postcode AS place
    ON place.code = upper(regexp_replace(service.postcode, '[^A-Za-z0-9]', '', 'g'))
WHERE service.service_id = %s AND service.hosted AND service.active
"""
