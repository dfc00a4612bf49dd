"""Asking the Endpoint Catalogue API what it knows of some organisations; no transaction, nothing written."""

from collections.abc import Callable, Sequence

from bars_portal.exchange.transport.endpoint_catalogue import EndpointCatalogue
from directory.catalogue.reading import Json, pack_answers


def fetch_catalogue(
    catalogue: EndpointCatalogue,
    *,
    organisations: Sequence[str],
    progress: Callable[[str, int], None] | None = None,
) -> bytes:
    """What it answers, as one file for `preview_catalogue`. Raises CatalogueUnavailable: nothing is used.

    `organisations` are ODS codes; `progress` gets each of them with its number of services.
    """
    services, endpoints = list[Json](), dict[str, Json]()
    for ods_code in organisations:
        found = catalogue.services_of(ods_code)
        for service in found:
            for endpoint in catalogue.endpoints_of(str(service.get("id"))):
                endpoints[str(endpoint.get("id"))] = endpoint
        services.extend(found)
        if progress is not None:
            progress(ods_code, len(found))
    return pack_answers(organisations=organisations, services=services, endpoints=list(endpoints.values()))
