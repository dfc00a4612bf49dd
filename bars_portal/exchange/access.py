"""Which organisations may call a service (standard section 3)."""

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.rules import HostedService


def check_access(service: HostedService, ods_code: str) -> None:
    """Raises OutcomeError 401: the proxy rewrites what a 403 says, so it would never reach the sender."""
    if service.allowed_callers and ods_code not in service.allowed_callers:
        raise fault(
            OutcomeCode.NOT_PERMITTED,
            "The organisation in NHSD-End-User-Organisation may not use this service.",
            "http.NHSD-End-User-Organisation",
        )
