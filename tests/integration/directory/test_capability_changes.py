"""Each word of a service that differs from its last is kept, told to staff, and to those who send there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.capability import StatedCapability
from directory.models import CapabilityChange, HealthcareService
from directory.presenters import attention, no_longer
from directory.services.entries import clear_capability, keep_capability
from tests.factories.accounts import make_acting, make_user
from tests.factories.bookings import NOW
from tests.factories.referrals import make_hub
from tests.integration.request_pages.test_capabilities import definition, searchset

pytestmark = pytest.mark.django_db
BACKEND = "bars_portal.accounts.acting.RoleBackend"


@pytest.fixture
def hub() -> HealthcareService:
    hub = make_hub()
    hub.accepted_use_cases = ["a1t1", "a3t1"]
    hub.save()
    return hub


def says(hub: HealthcareService, *use_cases: str, after: int = 0, version: str = "1.1.0") -> None:
    told(hub, searchset(definition(*use_cases)), after=after, version=version)


def told(hub: HealthcareService, found: Any, *, after: int = 0, version: str = "1.1.0") -> None:
    keep_capability(
        service=hub,
        searchset=found,
        statement=StatedCapability(version, None) if found is not None else None,
        silent=found is None,
        actor=Actor("test"),
        now=NOW + timedelta(hours=after),
    )


def health(hub: HealthcareService) -> tuple[Any, Any]:
    hub.refresh_from_db()
    return hub.failing_since, hub.last_success_at


def kept(hub: HealthcareService) -> list[tuple[Any, Any]]:
    return [(each.added, each.removed) for each in CapabilityChange.objects.filter(service=hub)]


def test_only_what_differs_is_kept_also_over_silence_and_a_clear(hub: HealthcareService) -> None:
    says(hub, "a1t1", "a3t1")
    says(hub, "a3t1", "a1t1", after=12)
    assert kept(hub) == [({}, {})]
    told(hub, None, after=24)
    clear_capability(service=hub)
    says(hub, "a1t1", after=36, version="1.0.0")
    assert kept(hub)[0] == (
        {"version": ["1.0.0"]},
        {"requests": ["a3t1"], "version": ["1.1.0"]},
    )
    assert len(kept(hub)) == 2


def test_what_it_takes_up_again_is_no_longer_missing(hub: HealthcareService) -> None:
    says(hub, "a1t1", "a3t1")
    says(hub, "a1t1", after=1)
    (sentence,) = no_longer(hub)
    assert sentence.startswith("Stopped accepting requests for Clinical assessment, sent by 999, since ")
    says(hub, "a1t1", "a3t1", after=2)
    assert no_longer(hub) == ()


def test_silence_and_answers_are_its_health(hub: HealthcareService) -> None:
    told(hub, None)
    assert health(hub) == (NOW, None)
    says(hub, "a1t1", after=1)
    assert health(hub) == (None, NOW + timedelta(hours=1))


def test_it_is_shown_where_it_matters(hub: HealthcareService, client: Client) -> None:
    says(hub, "a1t1", "a3t1")
    says(hub, "a1t1", after=1)
    client.force_login(make_acting(role=Role.CLINICIAN).user, backend=BACKEND)
    page = client.get(reverse("directory:service", args=[hub.service_id])).content.decode()
    assert "Stopped accepting requests for Clinical assessment, sent by 999, since" in page
    client.force_login(make_user(role=Role.AUDITOR, organisation=hub.provider), backend=BACKEND)
    listed = client.get(reverse("admin:directory_capabilitychange_changelist")).content.decode()
    assert "Stopped accepting requests for a3t1 (Clinical assessment, sent by 999)" in listed
    assert "First heard of" in listed
    shown = client.get(reverse("admin:directory_healthcareservice_change", args=[hub.pk])).content.decode()
    assert "Stopped accepting requests for a3t1 (Clinical assessment, sent by 999), since" in shown


@pytest.mark.parametrize(
    ("role", "told_of_it"), [(Role.ENGINEER, True), (Role.MANAGER, True), (Role.CLERK, False)], ids=str
)
def test_those_who_run_things_are_told_for_a_week(
    hub: HealthcareService, role: Role, told_of_it: bool
) -> None:
    says(hub, "a1t1", "a3t1")
    says(hub, "a1t1", after=1)
    acting = make_acting(role=role)
    soon, late = NOW + timedelta(days=7), NOW + timedelta(days=8)
    assert [each.count for each in attention(acting, soon)] == ([1] if told_of_it else [])
    assert [each.count for each in attention(acting, late)] == ([0] if told_of_it else [])


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b", "x" * 900], ids=["zero byte", "half a sign", "long"])
def test_odd_texts_of_others_are_kept_or_left_out(hub: HealthcareService, odd: str) -> None:
    found = searchset(definition("a1t1", odd, event="servicerequest-request"), definition(odd, event=odd))
    told(hub, found, version=odd[:20])
    assert "a1t1" in CapabilityChange.objects.get(service=hub).stated["requests"]
