"""The Endpoint Catalogue API as a reader sees it: searches, page by page (api.md section 5)."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    ORGANISATION,
    REQUEST_ID,
    Party,
    encode_json,
    organisation_json,
)
from bars_portal.http import TransportError

ACCEPT = "application/fhir+json; version=1.4.0"
SERVICES, ENDPOINTS = "/HealthcareService", "/Endpoint"
# Far more than any organisation has services; a catalogue that never ends is broken.
MOST_PAGES = 2_000

Params = Sequence[tuple[str, str]]
Json = dict[str, Any]


class CatalogueUnavailable(Exception):
    """The catalogue did not answer as it should; the message says how, in words for staff."""


class EndpointCatalogue:
    """Reads as `organisation`, whose private addresses are shown to it. Call it outside any transaction."""

    def __init__(self, client: BarsClient, *, organisation: Party) -> None:
        self._client, self._organisation = client, organisation

    def services_of(self, ods_code: str) -> list[Json]:
        """HealthcareService resources that an organisation provides. Raises CatalogueUnavailable."""
        asked = [("HealthcareService.providedBy", f"{ODS_SYSTEM}|{ods_code}")]
        return list(self._search(SERVICES, asked, "HealthcareService"))

    def endpoints_of(self, healthcare_service_id: str) -> list[Json]:
        """Endpoint resources of a HealthcareService, by its id there. Raises CatalogueUnavailable."""
        return list(
            self._search(ENDPOINTS, [("_has:HealthcareService.Id", healthcare_service_id)], "Endpoint")
        )

    def _search(self, path: str, params: Params, kind: str) -> Iterator[Json]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        following: Params | None = params
        while following is not None:
            if tuple(following) in seen:
                raise CatalogueUnavailable(f"The pages of {path} go round in a circle.")
            if len(seen) >= MOST_PAGES:
                raise CatalogueUnavailable(f"There are more than {MOST_PAGES:,} pages of {path}.")
            seen.add(tuple(following))
            page = self._page(path, following)
            resources = [as_dict(entry.get("resource")) for entry in dicts(page.get("entry"))]
            yield from (each for each in resources if each.get("resourceType") == kind)
            following = _next(page, path)

    def _page(self, path: str, params: Params) -> Json:
        headers = {
            REQUEST_ID: str(uuid4()),
            CORRELATION_ID: str(uuid4()),
            ORGANISATION: encode_json(organisation_json(self._organisation)),
            "Accept": ACCEPT,
        }
        try:
            answer = self._client.read(path, params=params, headers=headers)
            page = json.loads(answer.body) if answer.is_success else {}
        except TransportError as problem:
            raise CatalogueUnavailable(f"The catalogue could not be asked ({problem.kind}).") from None
        except OutcomeError:
            raise CatalogueUnavailable(f"The answer for {path} is no JSON.") from None
        if not answer.is_success:
            raise CatalogueUnavailable(f"The catalogue answered {answer.status} for {path}.")
        if page.get("resourceType") != "Bundle" or page.get("type") != "searchset":
            raise CatalogueUnavailable(f"The answer for {path} is no searchset.")
        return page


def _next(page: Json, path: str) -> Params | None:
    """The query of the next page. Only the query: whatever host it names, we ask where we asked before."""
    links = [as_text(link.get("url")) for link in dicts(page.get("link")) if link.get("relation") == "next"]
    if not links:
        return None
    try:
        parts = urlsplit(links[0])
    except ValueError:
        raise CatalogueUnavailable(f"The link to the next page of {path} is no address.") from None
    if not parts.path.endswith(path):
        raise CatalogueUnavailable(f"The next page of {path} is somewhere else.")
    return parse_qsl(parts.query, keep_blank_values=True)
