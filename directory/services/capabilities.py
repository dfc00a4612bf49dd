"""Keeping what services say that they take."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.capability_reading import StatedCapability, agreed_version
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from directory.models import HealthcareService, ServiceCapability
from directory.services.contacts import record_contact


@transaction.atomic
def keep_capability(
    *,
    service: HealthcareService,
    use_cases: Collection[str] | None,
    statement: StatedCapability | None,
    reached: bool,
    actor: Actor,
    now: datetime,
) -> ServiceCapability:
    """What was read just now; None: nothing that could be used. `reached`: the service answered."""
    codes = None if use_cases is None else sorted(use_cases)
    kept, _ = ServiceCapability.objects.update_or_create(
        service=service, defaults={"use_cases": codes, "read_at": now, **_stated(statement)}
    )
    if reached:
        record_contact(service_id=service.service_id, now=now)
    record(
        actor=actor,
        action="directory.read_definitions",
        subject=service,
        outcome="done" if reached else "failed",
        now=now,
    )
    return kept


def _stated(statement: StatedCapability | None) -> dict[str, Any]:
    if statement is None:
        return {"version": "", "agreed_version": STANDARD_VERSION, "definitions": None}
    return {
        "version": statement.version,
        "agreed_version": agreed_version(statement.version),
        "definitions": None if statement.definitions is None else list(statement.definitions),
    }


def clear_capability(*, service: HealthcareService) -> None:
    """The service is asked anew when somebody next wants to send it something."""
    ServiceCapability.objects.filter(service=service).delete()
