"""What services said of themselves, before the eyes of staff."""

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from directory.models import ServiceCapability
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import NOW
from tests.factories.referrals import make_hub
from tests.integration.staff.acting import carry_out

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "hosted", "own", "clears"),
    [
        (Role.ENGINEER, True, True, True),
        (Role.ENGINEER, False, False, False),
        (Role.INSTALLER, False, False, True),
        (Role.AUDITOR, True, True, False),
    ],
    ids=str,
)
def test_what_services_said_is_shown_and_cleared(
    client: Client, role: Role, hosted: bool, own: bool, clears: bool
) -> None:
    service = make_hub(hosted=hosted)
    kept = ServiceCapability.objects.create(service=service, read_at=NOW, version="1.0.0")
    organisation = service.provider if own else make_organisation()
    client.force_login(
        make_user(role=role, organisation=organisation), backend="bars_portal.accounts.acting.RoleBackend"
    )
    address = reverse("admin:directory_servicecapability_changelist")
    assert "1.0.0" in client.get(address).content.decode()
    carry_out(client, address, "clear_now", [kept.pk])
    assert ServiceCapability.objects.exists() is not clears
    assert AuditEvent.objects.filter(action="directory.clear_capability").exists() is clears
