"""Asking a service what it takes before anything is written for it (standard section 7), twice a day."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from bars_portal.exchange.fhir.capability_reading import read_capability_statement
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM
from bars_portal.exchange.transport.client import BarsClient
from directory import services
from directory.asking import Missing, Unreachable, ask
from directory.identity import SenderIdentity
from directory.models import HealthcareService, ServiceCapability
from directory.selectors import capability_of


def read_capability(
    client: BarsClient, *, service: HealthcareService, sender: SenderIdentity, now: datetime
) -> ServiceCapability:
    """From the service's MessageDefinitions and CapabilityStatement, or as they were read before.

    Call it outside any transaction.
    """
    known = capability_of(service, now=now)
    if known is not None:
        return known
    told = _Asker(client, service, sender)
    searchset = told.ask("/MessageDefinition", "Bundle:searchset", context=_context(service))
    # Who does not answer the first question is not kept waiting for a second time.
    statement = told.ask("/metadata", "CapabilityStatement") if searchset is not None else None
    return services.keep_capability(
        service=service,
        searchset=searchset,
        statement=read_capability_statement(statement) if statement is not None else None,
        silent=told.silent and searchset is None,
        actor=sender.actor,
        now=now,
    )


def _context(service: HealthcareService) -> str:
    return f"{SERVICE_ID_SYSTEM}|{service.service_id}"


@dataclass
class _Asker:
    """Both questions belong to one conversation. `silent`: a question had no answer that could be used."""

    client: BarsClient
    service: HealthcareService
    sender: SenderIdentity
    correlation_id: UUID = field(default_factory=uuid4)
    silent: bool = False

    def ask(self, path: str, expected: str, **params: str) -> dict[str, Any] | None:
        """None for no answer that could be used."""
        try:
            return ask(
                self.client,
                sender=self.sender,
                service_id=self.service.service_id,
                correlation_id=self.correlation_id,
                path=path,
                params=list(params.items()),
                expected=expected,
            )
        except Missing:
            return None
        except Unreachable:
            self.silent = True
            return None
