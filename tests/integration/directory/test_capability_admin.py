"""What services said of themselves, before the eyes of staff."""

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from directory.models import ServiceCapability
from tests.factories.accounts import make_user
from tests.factories.bookings import NOW
from tests.factories.referrals import make_hub

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("role", "clears"), [(Role.ENGINEER, True), (Role.AUDITOR, False)], ids=str)
def test_what_services_said_is_shown_and_cleared(client: Client, role: Role, clears: bool) -> None:
    kept = ServiceCapability.objects.create(service=make_hub(), read_at=NOW, version="1.0.0")
    client.force_login(make_user(role=role), backend="bars_portal.accounts.acting.RoleBackend")
    address = reverse("admin:directory_servicecapability_changelist")
    assert "1.0.0" in client.get(address).content.decode()
    client.post(address, {"action": "clear_now", "_selected_action": [kept.pk]})
    assert ServiceCapability.objects.exists() is not clears
