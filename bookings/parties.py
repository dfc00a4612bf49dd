"""Who asks whom, as resources of a message."""

from datetime import datetime

from bars_portal.accounts.models import Organisation
from bookings.mapping import Parties
from directory.mapping import healthcare_service_to_fhir, organisation_to_fhir
from directory.models import HealthcareService
from directory.selectors.services import facts_of


def parties_of(service: HealthcareService, sender: Organisation, now: datetime) -> Parties:
    """Both organisations, and the service as our directory knows it; `service.provider` is read."""
    provider = service.provider
    return Parties(
        sender=organisation_to_fhir(name=sender.name, ods_code=sender.ods_code, now=now),
        receiver=organisation_to_fhir(name=provider.name, ods_code=provider.ods_code, now=now),
        service=healthcare_service_to_fhir(facts_of(service), now=now),
    )
