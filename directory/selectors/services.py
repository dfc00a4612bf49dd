"""Services: for the exchange, for staff pages, by their own word, and all that is known of them."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.exchange.registry import ServiceSaid
from bars_portal.sql import ask
from directory.capability import Difference, staff_words, stated_words
from directory.catalogue.comparing import ENDPOINT, SERVICE, Known, KnownEndpoint, KnownService, WayKey
from directory.models import CapabilityChange, Endpoint, HealthcareService, ServiceCapability
from directory.ports import ServiceFacts, ServingService
from directory.postcodes import Position
from directory.selectors.access import rules_in

_HOSTED = """
    SELECT service.id, service.service_id, provider.id, provider.ods_code, provider.name, provider.phone,
        service.accepted_use_cases, service.allowed_callers, service.active,
        service.access_rules::text, service.paused_until
    FROM directory_healthcareservice AS service
    JOIN accounts_organisation AS provider ON provider.id = service.provider_id
    WHERE service.service_id = %s AND service.hosted AND (service.active OR %s)
"""


def service_by_id(service_id: ServiceID | str) -> HealthcareService | None:
    """By DoS service id, active or not, with its provider; None also for text that is no service id."""
    try:
        wanted = ServiceID.parse(str(service_id))
    except InvalidIdentifier:
        return None
    return HealthcareService.objects.select_related("provider").filter(service_id=wanted.value).first()


def hosted_service(service_id: ServiceID | str, *, closed: bool = False) -> HostedService | None:
    """What inbound rules need; None unless our receiver answers for the service and it is active.

    With `closed` one that is not active is found too.
    """
    try:
        wanted = ServiceID.parse(str(service_id))
    except InvalidIdentifier:
        return None
    # Asked for every message: plain SQL, for the ORM takes longer to write it than the database to answer.
    row = ask(_HOSTED, wanted.value, closed)
    if row is None:
        return None
    accepted, callers, active, rules, paused_until = row[6:]
    return HostedService(
        service_id=wanted,
        provider_ods=row[3],
        accepted_use_cases=frozenset(accepted),
        allowed_callers=frozenset(callers),
        access_rules=rules_in(rules),
        record=_record(row),
        active=active,
        paused_until=paused_until,
        organisation_id=row[2],
    )


def receiving_service(hosted: HostedService) -> HealthcareService:
    """As much of it as an arriving message needs, with its provider; the rest comes when it is asked for."""
    if not isinstance(hosted.record, HealthcareService):
        raise TypeError("The service was not found by hosted_service().")
    return hosted.record


def _record(row: tuple[Any, ...]) -> HealthcareService:
    service = HealthcareService.from_db(connection.alias, ("id", "service_id", "provider_id"), row[:3])
    service.provider = Organisation.from_db(connection.alias, ("id", "ods_code", "name", "phone"), row[2:6])
    return service


def services_that_may_pause(acting: Acting) -> QuerySet[HealthcareService]:
    """Services of the acting organisation that take referrals through our receiver, by name."""
    return HealthcareService.objects.filter(
        provider=acting.organisation, hosted=True, active=True, takes_referrals=True
    ).order_by("name")


def service_ids_provided_by(organisation_id: int) -> list[str]:
    """DoS service ids of one organisation, active or not."""
    services = HealthcareService.objects.filter(provider=organisation_id)
    return list(services.order_by("service_id").values_list("service_id", flat=True))


def facts_of(service: HealthcareService) -> ServiceFacts:
    """Facts for the pure mappings, but for its position: only a slot search tells that, by SERVING."""
    return ServiceFacts(
        id=service.id,
        service_id=service.service_id,
        name=service.name,
        active=service.active,
        provider_name=service.provider.name,
        provider_ods=service.provider.ods_code,
        address_lines=tuple(str(line) for line in service.address_lines),
        postcode=service.postcode,
        phone=service.phone,
    )


def provider_organisations() -> QuerySet[Organisation]:
    """Organisations that provide at least one service, by name."""
    return Organisation.objects.filter(Exists(HealthcareService.objects.filter(provider=OuterRef("pk"))))


def services_on_staff_pages(organisation_id: int, *, shared: bool, path: str = "") -> Q:
    """Services of the organisation; `shared`: also those that nobody here hosts, which all send to.

    `path` leads from the row to its service, such as "service__".
    """
    own = Q(**{f"{path}provider": organisation_id})
    return own | Q(**{f"{path}hosted": False}) if shared else own


def endpoints_on_staff_pages(organisation_id: int, *, shared: bool) -> Q:
    """Endpoints of the services that are seen, and those that the organisation manages for others."""
    managed = Q(managing_organisation=organisation_id)
    return managed | services_on_staff_pages(organisation_id, shared=shared, path="service__")


# SQL with three %s, the ODS code of who asks, whether the access rules let it in, and a service id: the row
# of that service, and none unless our receiver answers for it and it is active. Without allowed callers and
# without rules anyone may use it. The key of the postcode table is without blanks and in capitals.
SERVING = """
SELECT service.id, service.service_id, service.name AS service_name, provider.name AS provider_name,
    provider.ods_code, service.address_lines::text, service.postcode, service.phone, service.provider_id,
    place.latitude, place.longitude,
    service.allowed_callers, service.access_rules::text AS access_rules,
    (service.allowed_callers = '{}' OR %s = ANY(service.allowed_callers))
        AND (service.access_rules = '[]' OR %s) AS permitted
FROM directory_healthcareservice AS service
JOIN accounts_organisation AS provider ON provider.id = service.provider_id
LEFT JOIN directory_postcode AS place
    ON place.code = upper(regexp_replace(service.postcode, '[^A-Za-z0-9]', '', 'g'))
WHERE service.service_id = %s AND service.hosted AND service.active
"""


def serving_of(row: tuple[Any, ...]) -> ServingService:
    """What the columns of SERVING tell."""
    (
        ident,
        number,
        name,
        provider_name,
        provider_ods,
        lines,
        postcode,
        phone,
        _provider_id,
        *place,
        callers,
        rules,
        permitted,
    ) = row
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
    return ServingService(facts, permitted, frozenset(callers), rules_in(rules))


# -- a service's own word, while it counts, and how it changed

# A service that did not answer is asked again soon, but not by every page.
SILENT_FOR = timedelta(minutes=5)
_RECENT = timedelta(days=7)


def _kept_for() -> timedelta:
    """How long a service's word counts; the standard allows 24 hours (section 8)."""
    return timedelta(hours=settings.BARS_CAPABILITY_HOURS)


def capability_of(service: HealthcareService, *, now: datetime) -> ServiceCapability | None:
    """None when the service has to be asked."""
    kept = ServiceCapability.objects.filter(service=service).first()
    if kept is None:
        return None
    silent = kept.use_cases is None and kept.booking_use_cases is None
    lasts = min(SILENT_FOR, _kept_for()) if silent else _kept_for()
    return kept if kept.read_at + lasts > now else None


def agreed_version_with(service: HealthcareService, *, now: datetime) -> str:
    """The version of the standard that both sides know; "" when nothing is known of it now."""
    kept = capability_of(service, now=now)
    return kept.agreed_version if kept is not None else ""


def changes_of(service: HealthcareService, *, most: int = 20) -> Iterator[tuple[datetime, Difference]]:
    """(when it was noticed, what changed), the newest first."""
    changes = CapabilityChange.objects.filter(service=service).exclude(added={}, removed={})
    for each in changes[:most]:
        yield each.noticed_at, Difference(each.added, each.removed)


def last_stated(service: HealthcareService) -> dict[str, list[str]]:
    """{aspect: codes} of its last word, however old; {} when it never said anything."""
    last = CapabilityChange.objects.filter(service=service).first()
    return dict(last.stated) if last is not None else {}


def lately_stopped(*, now: datetime) -> QuerySet[CapabilityChange]:
    """Changes of the last 7 days by which a service stopped taking something."""
    return CapabilityChange.objects.filter(noticed_at__gt=now - _RECENT).exclude(removed={})


def said_by(service: HealthcareService) -> ServiceSaid:
    """However old; empty when it never said anything."""
    read_at = ServiceCapability.objects.filter(service=service).values_list("read_at", flat=True).first()
    changes = [(at, staff_words(found)) for at, found in changes_of(service)]
    return ServiceSaid(read_at, stated_words(last_stated(service)), changes)


# -- what the directory holds, in the form that catalogues are compared with: light rows, no instances


def known_to_the_directory(source: str, *, only: Collection[str] | None = None, lock: bool = False) -> Known:
    """Everything, or `only` these service ids; `lock` keeps their rows until the transaction ends.

    Of a service's endpoints that no catalogue has an id for one counts, those of `source` before others.
    """
    services: Any = HealthcareService.objects.order_by()
    endpoints: Any = Endpoint.objects.order_by()
    if only is not None:
        services, endpoints = (
            services.filter(service_id__in=only),
            endpoints.filter(service__service_id__in=only),
        )
    if lock:
        services, endpoints = (each.select_for_update(of=("self",)) for each in (services, endpoints))
    return Known(_known_services(services), _known_endpoints(endpoints, source))


def _known_services(rows: "QuerySet[HealthcareService]") -> dict[str, KnownService]:
    columns = ("provider__ods_code", *SERVICE)
    return {
        service_id: KnownService(
            key, values[-1], hosted, dict(zip(("provider", *SERVICE), values, strict=True))
        )
        for key, service_id, hosted, *values in rows.values_list("pk", "service_id", "hosted", *columns)
    }


def _known_endpoints(rows: "QuerySet[Endpoint]", source: str) -> dict[WayKey, KnownEndpoint]:
    columns = ("managing_organisation__ods_code", *ENDPOINT)
    found: dict[WayKey, KnownEndpoint] = {}
    rows = rows.annotate(number=F("service__service_id"))
    for key, service_id, *values in rows.values_list("pk", "number", *columns):
        said = dict(zip(("managing_organisation", *ENDPOINT), values, strict=True))
        endpoint = KnownEndpoint(key, said["source"], said)
        place: WayKey = (service_id, said["catalogue_id"])
        there = found.setdefault(place, endpoint)
        if _order(endpoint, source) < _order(there, source):
            found[place] = endpoint
    return found


def _order(endpoint: KnownEndpoint, source: str) -> tuple[bool, bool, str]:
    return (endpoint.source != source, endpoint.values["status"] != "active", str(endpoint.key))
