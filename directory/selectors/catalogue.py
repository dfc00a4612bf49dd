"""What the directory holds, in the form that catalogues are compared with: light rows, no instances."""

from collections.abc import Collection
from typing import Any

from django.db.models import F, QuerySet

from directory.catalogue.comparing import ENDPOINT, SERVICE, Known, KnownEndpoint, KnownService, WayKey
from directory.models import Endpoint, HealthcareService


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
    return Known(_services(services), _endpoints(endpoints, source))


def _services(rows: "QuerySet[HealthcareService]") -> dict[str, KnownService]:
    columns = ("provider__ods_code", *SERVICE)
    return {
        service_id: KnownService(
            key, values[-1], hosted, dict(zip(("provider", *SERVICE), values, strict=True))
        )
        for key, service_id, hosted, *values in rows.values_list("pk", "service_id", "hosted", *columns)
    }


def _endpoints(rows: "QuerySet[Endpoint]", source: str) -> dict[WayKey, KnownEndpoint]:
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
