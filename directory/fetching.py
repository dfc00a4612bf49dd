"""Asking the Endpoint Catalogue API what it knows of some organisations; no transaction, nothing written."""

from collections.abc import Callable, Sequence

from django.conf import settings

from bars_portal.exchange.gateway import get_client, own_organisation
from bars_portal.exchange.transport.endpoint_catalogue import EndpointCatalogue
from directory.catalogue.reading import Json, pack_answers
from directory.selectors import provider_organisations


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


def fetch_known_organisations(
    ods_codes: Sequence[str] = (), *, progress: Callable[[str, int], None] | None = None
) -> tuple[str, bytes]:
    """(address, answers) of the environment's catalogue; without codes: all that provide a service here."""
    codes = ods_codes or [each.ods_code for each in provider_organisations()]
    reader = EndpointCatalogue(get_client(), organisation=own_organisation())
    return settings.BARS["BASE_URL"], fetch_catalogue(reader, organisations=codes, progress=progress)
