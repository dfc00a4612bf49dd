"""Asking a service what it takes (standard section 7), keeping it, and noticing what it says anew."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.capability import StatedCapability, agreed_version, read_capability_statement
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.transport.client import BarsClient
from directory.capability import Aspect, Stated, difference, stated_by
from directory.models import CapabilityChange, HealthcareService, ServiceCapability
from directory.remote import Missing, SenderIdentity, Unreachable, ask, search
from directory.selectors.services import capability_of
from directory.services.entries import record_contact, record_no_contact

# What a service says of itself is worth a short wait: its times, which are asked for next, are worth more.
ASKING_SECONDS = 3.0


def read_capability(
    client: BarsClient, *, service: HealthcareService, sender: SenderIdentity, now: datetime
) -> ServiceCapability:
    """From the service's MessageDefinitions and CapabilityStatement, or as they were read before.

    Call it outside any transaction.
    """
    known = capability_of(service, now=now)
    if known is not None:
        return known
    conversation, hurried = uuid4(), client.within(ASKING_SECONDS)

    searchset = statement = None
    silent = True
    try:
        definitions = search(
            hurried,
            sender=sender,
            service_id=service.service_id,
            correlation_id=conversation,
            resource_type="MessageDefinition",
            params=[("context", f"{SERVICE_ID_SYSTEM}|{service.service_id}")],
        )
        silent = False
        # Of some of them nobody can say what it does not take.
        searchset = None if definitions.is_cut else definitions.bundle
        # Who does not answer the first question is not kept waiting for a second time.
        said = ask(
            hurried,
            sender=sender,
            service_id=service.service_id,
            correlation_id=conversation,
            path="/metadata",
            expected="CapabilityStatement",
        )
        statement = read_capability_statement(said)
    except Missing:
        silent = False
    except Unreachable:
        pass
    return keep_capability(
        service=service,
        searchset=searchset,
        statement=statement,
        silent=silent,
        actor=sender.actor,
        now=now,
    )


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
