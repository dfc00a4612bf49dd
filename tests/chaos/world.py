"""Ten partners of a demo of its own, and many requests to them; run inside the stack (Stack.call)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import sleep

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting, resolve_acting
from bars_portal.accounts.models import User
from bars_portal.exchange.fhir.codes import UseCase
from directory.models import HealthcareService
from referrals.cases.models import Referral
from referrals.sending.models import RequestDraft
from referrals.sending.requesting import request_referral
from tests.factories.contents import make_content
from tests.factories.patients import make_details
from tests.integration.request_pages.minimal import minimal

HUB = "2000099999"
USE_CASE = UseCase("a2t1")


def open_partners(service_ids: Sequence[str], name: str) -> None:
    """Hosted here, as the hub is: what reaches them can be counted in our own database."""
    hub = HealthcareService.objects.get(service_id=HUB)
    for number, service_id in enumerate(service_ids):
        HealthcareService.objects.get_or_create(
            service_id=service_id,
            defaults={
                "name": f"Chaos {name} {number}",
                "service_type": hub.service_type,
                "provider": hub.provider,
                "hosted": True,
                "accepted_use_cases": hub.accepted_use_cases,
                "takes_referrals": True,
            },
        )


def send(service_ids: Sequence[str], count: int) -> None:
    """So many referrals, to each in turn.

    After an error of the database nobody knows whether the last one was taken: what is there is counted.
    """
    acting, services = _clinician(), _services(service_ids)
    content, details = make_content(USE_CASE, booking_ids=()), make_details()
    # What people send from a draft is not ours.
    mine = Referral.objects.filter(direction="sent", draft_id=None, service__in=services)
    number = 0
    while number < count:
        try:
            request_referral(
                content=content,
                details=details,
                service=services[number % len(services)],
                acting=acting,
                now=datetime.now(UTC),
            )
            number += 1
        except DatabaseError:
            number = _there(mine)


def _there(mine: "QuerySet[Referral]") -> int:
    while True:
        connection.close()
        try:
            return mine.count()
        except DatabaseError:
            sleep(0.2)


def write_drafts(service_ids: Sequence[str], count: int) -> str:
    """Requests that the clinician has finished and not sent; their ids, blanks between."""
    acting, services, now = _clinician(), _services(service_ids), datetime.now(UTC)
    drafts = [
        RequestDraft(
            user=acting.user,
            organisation=acting.organisation,
            service=services[number % len(services)],
            use_case=USE_CASE,
            typed=minimal(USE_CASE),
            created_at=now,
            updated_at=now,
        )
        for number in range(count)
    ]
    return " ".join(str(each.pk) for each in RequestDraft.objects.bulk_create(drafts))


def _clinician() -> Acting:
    acting = resolve_acting(User.objects.get(username="clinician"), {})
    assert acting is not None
    return acting


def _services(service_ids: Sequence[str]) -> list[HealthcareService]:
    found = HealthcareService.objects.select_related("provider").in_bulk(service_ids, field_name="service_id")
    return [found[each] for each in service_ids]
