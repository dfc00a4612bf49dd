"""Services as people change them, how contact with them went, and what they say of themselves."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Model, Q

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import need
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.exchange.fhir.capability import StatedCapability, agreed_version, read_capability_statement
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, ServiceID
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.exchange.registry import ServiceSaid
from bars_portal.exchange.transport.client import BarsClient
from directory.capability import Aspect, Stated, difference, stated_by
from directory.models import AccessRule, CapabilityChange, Endpoint, HealthcareService, ServiceCapability
from directory.policies import LONGEST_PAUSE, check_can_pause
from directory.remote import Missing, SenderIdentity, Unreachable, ask, search
from directory.selectors.services import (
    agreed_version_with,
    capability_of,
    hosted_service,
    said_by,
    service_by_id,
    service_ids_provided_by,
)

Entry = HealthcareService | Endpoint | AccessRule


def create_entry(*, entry: Entry, actor: Actor, now: datetime) -> None:
    """Insert a new row. Raises IntegrityError when a DoS service id is taken."""
    with transaction.atomic():
        entry.save(force_insert=True)
        record(actor=actor, action=f"directory.create_{_NOUNS[type(entry)]}", subject=entry, now=now)


def save_entry(*, entry: Entry, changed: Collection[str], actor: Actor, now: datetime) -> None:
    """Write exactly the fields named in `changed`, already set on the object; audited by field name."""
    if changed:
        action, fields = f"directory.change_{_NOUNS[type(entry)]}", sorted(changed)
        with transaction.atomic():
            entry.save(update_fields=fields)
            record(actor=actor, action=action, subject=entry, detail={"fields": ", ".join(fields)}, now=now)


@transaction.atomic
def pause_referrals(
    *, service: HealthcareService, until: datetime, reason: str, acting: Acting, now: datetime
) -> None:
    """It takes no referrals until then; bookings go on. Again: another end, another reason.

    Raises PolicyRefused: not theirs, takes none at all, an end that is over or too far away.
    """
    check_can_pause(service, acting)
    need(now < until <= now + LONGEST_PAUSE, "Choose an end within the next 4 weeks.")
    _write_pause(service, until, reason)
    detail = {"until": until.isoformat()}
    record(actor=acting.actor, action="directory.pause_referrals", subject=service, detail=detail, now=now)


@transaction.atomic
def resume_referrals(*, service: HealthcareService, acting: Acting, now: datetime) -> None:
    """Before the end that was set; nothing when it takes referrals already. Raises PolicyRefused."""
    check_can_pause(service, acting)
    if is_paused(service.paused_until, now):
        _write_pause(service, None, "")
        record(actor=acting.actor, action="directory.resume_referrals", subject=service, now=now)


def _write_pause(service: HealthcareService, until: datetime | None, reason: str) -> None:
    service.paused_until, service.pause_reason = until, reason
    service.save(update_fields=["paused_until", "pause_reason"])
    # Who sends from here asks the service anew, and hears of it.
    clear_capability(service=service)


# As the audit trail names them.
_NOUNS: dict[type[Model], str] = {
    HealthcareService: "service",
    Endpoint: "endpoint",
    AccessRule: "access_rule",
}


def record_contact(*, service_id: ServiceID | str, now: datetime) -> bool:
    """Remember when the service last answered: one UPDATE, never backwards. False when nothing changed."""
    earlier = Q(last_success_at__isnull=True) | Q(last_success_at__lt=now)
    services = HealthcareService.objects.filter(earlier, service_id=str(service_id))
    return services.update(last_success_at=now, failing_since=None) == 1


def record_no_contact(*, service_id: ServiceID | str, now: datetime) -> bool:
    """Remember since when the service does not answer; False when that was known, or it answered since."""
    fine = Q(last_success_at__isnull=True) | Q(last_success_at__lt=now)
    services = HealthcareService.objects.filter(fine, service_id=str(service_id), failing_since__isnull=True)
    return services.update(failing_since=now) == 1


# -- what a service says that it takes (standard section 7): asked for, kept, and noticed when it is said anew

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


# -- what the exchange asks of services


class KnownServices:
    """By the catalogue, by the services' own words, and by how they answer."""

    def hosted(self, service_id: ServiceID, *, closed: bool = False) -> HostedService | None:
        return hosted_service(service_id, closed=closed)

    def provided_by(self, organisation_id: int) -> Sequence[str]:
        return service_ids_provided_by(organisation_id)

    def names(self, service_ids: Iterable[str]) -> Mapping[str, str]:
        rows = HealthcareService.objects.filter(service_id__in=list(service_ids))
        return dict(rows.values_list("service_id", "name"))

    def said(self, service_id: str) -> ServiceSaid:
        service = service_by_id(service_id)
        return said_by(service) if service is not None else ServiceSaid()

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        service = service_by_id(service_id.value)
        return agreed_version_with(service, now=now) if service is not None else ""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        if answered:
            record_contact(service_id=service_id, now=now)
        else:
            record_no_contact(service_id=service_id, now=now)
