"""What the directory tells the exchange of services: those that we answer for, and those that it sends to."""

from collections.abc import Sequence
from datetime import datetime

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService
from directory.selectors import agreed_version_with, hosted_service, service_by_id, service_ids_provided_by
from directory.services import record_contact, record_no_contact


class KnownServices:
    """By the catalogue, by the services' own words, and by how they answer."""

    def hosted(self, service_id: ServiceID) -> HostedService | None:
        return hosted_service(service_id)

    def provided_by(self, organisation_id: int) -> Sequence[str]:
        return service_ids_provided_by(organisation_id)

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        service = service_by_id(service_id.value)
        return agreed_version_with(service, now=now) if service is not None else ""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        if answered:
            record_contact(service_id=service_id, now=now)
        else:
            record_no_contact(service_id=service_id, now=now)
