"""The service of a slot search: on a hot path, so part of that one statement, and no model instances."""

from typing import Any

import orjson

from directory.facts import ServiceFacts, ServingService
from directory.geo import Position

# SQL with two %s, the ODS code of who asks and a service id: the row of that service, and none unless our
# receiver answers for it and it is active. Without allowed callers anyone may use it.
# The postcode is found as by `facts_of`: the key of that table is without blanks and in capitals.
SERVING = """
SELECT service.id, service.service_id, service.name AS service_name, provider.name AS provider_name,
    provider.ods_code, service.address_lines::text, service.postcode, service.phone,
    place.latitude, place.longitude,
    service.allowed_callers = '{}' OR %s = ANY(service.allowed_callers) AS permitted
FROM directory_healthcareservice AS service
JOIN accounts_organisation AS provider ON provider.id = service.provider_id
LEFT JOIN directory_postcode AS place
    ON place.code = upper(regexp_replace(service.postcode, '[^A-Za-z0-9]', '', 'g'))
WHERE service.service_id = %s AND service.hosted AND service.active
"""


def serving_of(row: tuple[Any, ...]) -> ServingService:
    """What the columns of SERVING tell."""
    ident, number, name, provider_name, provider_ods, lines, postcode, phone, *place, permitted = row
    latitude, longitude = place
    facts = ServiceFacts(
        id=ident,
        service_id=number,
        name=name,
        active=True,
        provider_name=provider_name,
        provider_ods=provider_ods,
        address_lines=tuple(map(str, orjson.loads(lines))),
        postcode=postcode,
        phone=phone,
        position=Position(latitude, longitude) if latitude is not None else None,
    )
    return ServingService(facts, permitted)
