"""Asking a service what it takes before anything is written for it (standard section 7), twice a day."""

from datetime import datetime
from uuid import uuid4

from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM
from bars_portal.exchange.transport.client import BarsClient
from bookings.asking import Missing, Unreachable, ask
from bookings.identity import SenderIdentity
from directory.models import HealthcareService
from referrals import services
from referrals.mapping.definitions import use_cases_of
from referrals.models import ServiceCapability
from referrals.selectors import capability_of

__all__ = ["ServiceCapability", "read_capability"]


def read_capability(
    client: BarsClient, *, service: HealthcareService, sender: SenderIdentity, now: datetime
) -> ServiceCapability:
    """From the service's MessageDefinitions, or as they were read before. Call it outside any transaction."""
    known = capability_of(service, now=now)
    if known is not None:
        return known
    try:
        searchset = ask(
            client,
            sender=sender,
            service_id=service.service_id,
            correlation_id=uuid4(),
            path="/MessageDefinition",
            params=[("context", f"{SERVICE_ID_SYSTEM}|{service.service_id}")],
            expected="Bundle:searchset",
        )
        use_cases, reached = use_cases_of(searchset), True
    except (Missing, Unreachable):
        use_cases, reached = None, False
    return services.keep_capability(
        service=service, use_cases=use_cases, reached=reached, actor=sender.actor, now=now
    )
