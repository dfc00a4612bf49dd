"""Services, endpoints and access rules as people change them, and how contact with services went."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Model, Q

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import need
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.exchange.registry import ServiceSaid
from directory.models import AccessRule, Endpoint, HealthcareService, ServiceCapability
from directory.policies import LONGEST_PAUSE, check_can_pause
from directory.selectors.services import (
    agreed_version_with,
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
    ServiceCapability.objects.filter(service=service).delete()


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
