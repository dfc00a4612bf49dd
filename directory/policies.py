"""What may be done with a service, and by whom; each refusal is a sentence for the user."""

from bars_portal.accounts.acting import Acting
from directory.models import Endpoint, HealthcareService

_CHANGE_SERVICE = "directory.change_healthcareservice"
_CHANGE_ENDPOINT = "directory.change_endpoint"


class ServiceRefused(Exception):
    """The service cannot be used, or changed, like that; the message is shown to the user."""


def check_takes_bookings(service: HealthcareService) -> None:
    """Raises ServiceRefused."""
    if not service.active:
        raise ServiceRefused("This service is not active. Choose another service.")
    if not service.takes_bookings:
        raise ServiceRefused("This service does not take bookings.")


def can_take_bookings(service: HealthcareService) -> bool:
    return not why_no_bookings(service)


def why_no_bookings(service: HealthcareService) -> str:
    """The sentence of the refusal, or "" when the service takes bookings."""
    try:
        check_takes_bookings(service)
    except ServiceRefused as refusal:
        return str(refusal)
    return ""


def can_change_service(service: HealthcareService, acting: Acting | None) -> bool:
    """Managers change the services of the organisation that they act for."""
    return (
        acting is not None and acting.may(_CHANGE_SERVICE) and service.provider_id == acting.organisation.pk
    )


def can_change_endpoint(endpoint: Endpoint, acting: Acting | None) -> bool:
    """Engineers change endpoints that the organisation they act for manages, or of its services."""
    if acting is None or not acting.may(_CHANGE_ENDPOINT):
        return False
    return acting.organisation.pk in (endpoint.managing_organisation_id, endpoint.service.provider_id)
