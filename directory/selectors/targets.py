"""Where messages to a service go, by what the directory knows."""

from datetime import datetime

from bars_portal.exchange.fhir.identifiers import ServiceID
from directory.models import Endpoint, HealthcareService
from directory.resolution import NOTHING_ON_RECORD, Target, Unresolved, resolve
from directory.selectors.services import service_by_id


def resolve_target(service_id: ServiceID | str, *, now: datetime) -> Endpoint:
    """The endpoint of a service. Raises NoEndpoint and SeveralEndpoints."""
    service = service_by_id(service_id)
    way = resolve(_target(service) if service else None, now=now)
    if not isinstance(way, Endpoint):
        raise TypeError("The directory resolves to rows of its own.")
    return way


def why_unreachable(service: HealthcareService, *, now: datetime) -> str:
    """Why nothing can be sent to it, as a sentence; "" when something can.

    A service without any endpoint on record may be tried: the catalogue that routes messages is not ours, and
    knows services that we do not.
    """
    try:
        resolve(_target(service), now=now)
    except Unresolved as fault:
        return "" if str(fault) == NOTHING_ON_RECORD else str(fault)
    return ""


def _target(service: HealthcareService) -> Target:
    return Target(service.active, list(service.endpoints.all()))
