"""Ten partners of a demo of its own, and many requests to them; run inside the stack (Stack.call)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bars_portal.accounts.acting import resolve_acting
from bars_portal.accounts.models import User
from bars_portal.exchange.fhir.codes import UseCase
from directory.models import HealthcareService
from referrals.sending.requesting import request_referral
from tests.factories.contents import make_content
from tests.factories.patients import make_details

HUB = "2000099999"
USE_CASE = UseCase("a2t1")


def open_partners(service_ids: Sequence[str]) -> None:
    """Hosted here, as the hub is: what reaches them can be counted in our own database."""
    hub = HealthcareService.objects.get(service_id=HUB)
    for number, service_id in enumerate(service_ids):
        HealthcareService.objects.get_or_create(
            service_id=service_id,
            defaults={
                "name": f"Chaos {number}",
                "service_type": hub.service_type,
                "provider": hub.provider,
                "hosted": True,
                "accepted_use_cases": hub.accepted_use_cases,
                "takes_referrals": True,
            },
        )


def send(service_ids: Sequence[str], count: int) -> None:
    """So many referrals, to each in turn."""
    acting = resolve_acting(User.objects.get(username="clinician"), {})
    assert acting is not None
    services = HealthcareService.objects.select_related("provider").in_bulk(
        service_ids, field_name="service_id"
    )
    content, details = make_content(USE_CASE, booking_ids=()), make_details()
    for number in range(count):
        request_referral(
            content=content,
            details=details,
            service=services[service_ids[number % len(service_ids)]],
            acting=acting,
            now=datetime.now(UTC),
        )
