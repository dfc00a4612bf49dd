"""Keeping what services say that they take."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from directory.models import HealthcareService
from directory.services import record_contact
from referrals.models import ServiceCapability


@transaction.atomic
def keep_capability(
    *,
    service: HealthcareService,
    use_cases: Collection[str] | None,
    reached: bool,
    actor: Actor,
    now: datetime,
) -> ServiceCapability:
    """What was read just now; None: nothing that could be used. `reached`: the service answered."""
    codes = None if use_cases is None else sorted(use_cases)
    kept, _ = ServiceCapability.objects.update_or_create(
        service=service, defaults={"use_cases": codes, "read_at": now}
    )
    if reached:
        record_contact(service_id=service.service_id, now=now)
    record(
        actor=actor,
        action="referrals.read_definitions",
        subject=service,
        outcome="done" if reached else "failed",
        now=now,
    )
    return kept


def clear_capability(*, service: HealthcareService) -> None:
    """The service is asked anew when somebody next wants to send it something."""
    ServiceCapability.objects.filter(service=service).delete()
