"""What the exchange is told of the services that it sends to."""

from datetime import datetime

from bars_portal.exchange.fhir.identifiers import ServiceID
from directory.selectors import agreed_version_with, service_by_id
from directory.services import record_contact, record_no_contact


class DirectoryPartners:
    """By the services' own words and by how they answer."""

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        service = service_by_id(service_id.value)
        return agreed_version_with(service, now=now) if service is not None else ""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        if answered:
            record_contact(service_id=service_id, now=now)
        else:
            record_no_contact(service_id=service_id, now=now)
