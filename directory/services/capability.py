"""Asking a service what it takes (standard section 7), keeping it, and noticing what it says anew."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.capability import StatedCapability, agreed_version, read_capability_statement
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.transport.client import BarsClient
from directory.capability import Aspect, Stated, difference, stated_by
from directory.models import CapabilityChange, HealthcareService, ServiceCapability
from directory.remote import Missing, SenderIdentity, Unreachable, ask
from directory.selectors.capability import capability_of
from directory.services.entries import record_contact, record_no_contact

# Asking a service what it takes before anything is written for it (standard section 7), twice a day.


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
    return keep_capability(
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


# Keeping what services say that they take, and noticing what they say otherwise than before.


@transaction.atomic
def keep_capability(
    *,
    service: HealthcareService,
    searchset: dict[str, Any] | None,
    statement: StatedCapability | None,
    silent: bool,
    actor: Actor,
    now: datetime,
) -> ServiceCapability:
    """What was read just now; None: nothing that could be used. `silent`: the service did not answer."""
    stated = stated_by(searchset, statement)
    # Also the lock that lets one at a time compare with what was said last.
    kept, _ = ServiceCapability.objects.update_or_create(
        service=service, defaults={"read_at": now, **_columns(stated, statement)}
    )
    _notice(service, stated, now)
    if silent:
        record_no_contact(service_id=service.service_id, now=now)
    elif searchset is not None:
        record_contact(service_id=service.service_id, now=now)
    record(
        actor=actor,
        action="directory.read_definitions",
        subject=service,
        outcome="done" if searchset is not None else "failed",
        now=now,
    )
    return kept


def clear_capability(*, service: HealthcareService) -> None:
    """The service is asked anew when somebody next wants to send it something. What it said stays known."""
    ServiceCapability.objects.filter(service=service).delete()


def _columns(stated: Stated, statement: StatedCapability | None) -> dict[str, Any]:
    version = next(iter(stated.get(Aspect.VERSION, ())), "")
    return {
        "use_cases": stated.get(Aspect.REQUESTS),
        "booking_use_cases": stated.get(Aspect.BOOKINGS),
        "version": version,
        "agreed_version": agreed_version(version) if statement is not None else STANDARD_VERSION,
        "definitions": stated.get(Aspect.DEFINITIONS),
    }


def _notice(service: HealthcareService, stated: Stated, now: datetime) -> None:
    last = CapabilityChange.objects.filter(service=service).first()
    before: Stated = last.stated if last is not None else {}
    # What it did not tell of this time is still its last word on that.
    known = {**before, **stated}
    found = difference(before, stated)
    if known != before:
        CapabilityChange.objects.create(
            service=service, noticed_at=now, stated=known, added=found.added, removed=found.removed
        )
