"""Services and endpoints, as people enter and change them."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from directory.models import Endpoint, HealthcareService


def create_service(*, service: HealthcareService, actor: Actor, now: datetime) -> HealthcareService:
    """Insert a new service. Raises IntegrityError when its DoS service id is taken."""
    with transaction.atomic():
        service.save(force_insert=True)
        record(actor=actor, action="directory.create_service", subject=service, now=now)
    return service


def create_endpoint(*, endpoint: Endpoint, actor: Actor, now: datetime) -> Endpoint:
    with transaction.atomic():
        endpoint.save(force_insert=True)
        record(actor=actor, action="directory.create_endpoint", subject=endpoint, now=now)
    return endpoint


def save_service(
    *, service: HealthcareService, changed: Collection[str], actor: Actor, now: datetime
) -> HealthcareService:
    """Write exactly the fields named in `changed`, already set on the object; audited by field name."""
    if changed:
        with transaction.atomic():
            service.save(update_fields=sorted(changed))
            _note(service, action="directory.change_service", changed=changed, actor=actor, now=now)
    return service


def save_endpoint(*, endpoint: Endpoint, changed: Collection[str], actor: Actor, now: datetime) -> Endpoint:
    """As `save_service`, for an endpoint."""
    if changed:
        with transaction.atomic():
            endpoint.save(update_fields=sorted(changed))
            _note(endpoint, action="directory.change_endpoint", changed=changed, actor=actor, now=now)
    return endpoint


def _note(
    subject: HealthcareService | Endpoint,
    *,
    action: str,
    changed: Collection[str],
    actor: Actor,
    now: datetime,
) -> None:
    record(
        actor=actor, action=action, subject=subject, detail={"fields": ", ".join(sorted(changed))}, now=now
    )
