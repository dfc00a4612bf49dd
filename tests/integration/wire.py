"""The wire of a world that is kept: what is made before there is a test goes over one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import override_settings

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.exchange.gateway import client as gateway
from bookings.services.settling import wait_for_outcome
from directory.models import HealthcareService, ServiceCapability
from directory.remote import identity_of
from directory.services.entries import read_capability
from referrals.responding.response_view import wait_for_response
from referrals.sending.views.lookup import wait_for_case
from tests.integration.bookings.loopback import Loopback

OWN_SERVICE_ID = "2000099090"


@contextmanager
def connected(now: datetime | None = None) -> Iterator[Loopback]:
    """As the fixtures `network` connect a test: our own receiver at the other end; nobody waits for it."""
    network = Loopback(now=now or datetime.now(UTC))
    own = {**settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    with override_settings(BARS=own, CELERY_TASK_ALWAYS_EAGER=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway._process, "config", dict(own))
        patch.setattr(gateway._process, "client", network.client)
        for wait in (wait_for_outcome, wait_for_case, wait_for_response):
            assert wait.__kwdefaults__ is not None
            patch.setitem(wait.__kwdefaults__, "patience", 0.0)
        yield network


def ask(service: HealthcareService, *, by: Organisation) -> None:
    """What it takes is known, as to everybody who has been at its pages within the last hours."""
    ServiceCapability.objects.filter(service=service).delete()
    sender = identity_of(Actor(label="Set-up of a test", organisation_id=by.pk))
    with connected() as network:
        read_capability(network.client, service=service, sender=sender, now=network.now)
    service.refresh_from_db()
