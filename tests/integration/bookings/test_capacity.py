"""Alarms for services that run out of free slots: raised, told once, ended by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import items_for
from bars_portal.accounts.permissions import PolicyRefused, Role
from bookings.models import CapacityAlarm, Schedule, SlotStatus
from bookings.selectors.clinics import free_within
from bookings.services.clinics import end_alarm, judge_alarms, mail_alarms, set_alarm
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def manager() -> Acting:
    return make_acting(role=Role.MANAGER)


@pytest.fixture
def service(manager: Acting) -> HealthcareService:
    return make_service(provider=manager.organisation)


def slots(schedule: Schedule, *hours: float, status: SlotStatus = SlotStatus.FREE) -> None:
    for each in hours:
        start = NOW + each * HOUR
        make_slot(schedule=schedule, start=start, status=status)


def alarm(service: HealthcareService, manager: Acting, *, least: int = 3, hours: int = 24) -> CapacityAlarm:
    set_alarm(service=service, least=least, hours=hours, acting=manager, now=NOW)
    return CapacityAlarm.objects.get(service=service)


def test_only_what_can_be_booked_in_time_counts(service: HealthcareService, manager: Acting) -> None:
    open_diary = make_schedule(service=service, lead_minutes=60)
    slots(open_diary, 2, 23)
    # Over, too soon, too late, taken, and of a diary that is switched off.
    slots(open_diary, -2, 0.5, 24)
    slots(open_diary, 5, status=SlotStatus.BUSY_UNAVAILABLE)
    slots(make_schedule(service=service, active=False), 3)
    slots(make_schedule(), 3)
    assert free_within(alarm(service, manager), now=NOW) == 2


def test_it_is_raised_and_ends_by_itself(service: HealthcareService, manager: Acting) -> None:
    diary = make_schedule(service=service)
    slots(diary, 1, 2)
    held = alarm(service, manager)
    assert judge_alarms(now=NOW) == 1
    assert judge_alarms(now=NOW + HOUR / 12) == 0, "it stands since it was raised"
    held.refresh_from_db()
    assert held.raised_at == NOW
    (item,) = [each for each in items_for(manager, NOW) if each.label == "services with few free slots"]
    assert (item.count, item.urgent) == (1, True)
    slots(diary, 5, 6)
    assert judge_alarms(now=NOW + HOUR / 12) == 1
    held.refresh_from_db()
    assert held.raised_at is None


@pytest.mark.parametrize("free", [2, 3])
def test_exactly_so_many_are_enough(service: HealthcareService, manager: Acting, free: int) -> None:
    slots(make_schedule(service=service), *range(1, free + 1))
    held = alarm(service, manager)
    judge_alarms(now=NOW)
    held.refresh_from_db()
    assert (held.raised_at is not None) == (free < 3)


def test_managers_are_told_once(service: HealthcareService, manager: Acting, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.nhs.uk"
    manager.user.email = "manager@example.nhs.uk"
    manager.user.save()
    alarm(service, manager)
    judge_alarms(now=NOW)
    assert [mail_alarms(now=NOW), mail_alarms(now=NOW)] == [1, 0]
    (sent,) = mail.outbox
    assert sent.to == ["manager@example.nhs.uk"]
    assert f"{service.name} has fewer than 3 free slots in the next 24 hours" in sent.body


def test_no_server_no_claim(service: HealthcareService, manager: Acting) -> None:
    held = alarm(service, manager)
    judge_alarms(now=NOW)
    assert mail_alarms(now=NOW) == 0
    held.refresh_from_db()
    assert held.mailed_at is None


def test_the_pages(service: HealthcareService, manager: Acting) -> None:
    client, address = Client(), reverse("bookings:capacity")
    client.force_login(manager.user)
    assert "No alarm is set" in client.get(address).content.decode()
    typed = {"service": service.service_id, "least": "many", "hours": "24"}
    page = client.post(address, typed).content.decode()
    assert "The number of free slots must be a whole number from 1 to 1000" in page
    assert 'value="many"' in page
    page = client.post(address, {**typed, "least": "2", "hours": ""}).content.decode()
    assert "Enter the number of hours" in page
    assert client.post(address, {**typed, "least": "2"}).status_code == 302
    held = CapacityAlarm.objects.get()
    assert (held.least, held.hours, held.service) == (2, 24, service)
    assert client.post(address, {**typed, "least": "4"}).status_code == 302
    assert CapacityAlarm.objects.get().least == 4, "one a service"
    listed = client.get(address).content.decode()
    assert service.name in listed and "Too few" in listed and "Enough" not in listed, "it has none at all"
    now = datetime.now(UTC)
    for minutes in range(30, 150, 30):
        make_slot(schedule=make_schedule(service=service), start=now + timedelta(minutes=minutes))
    listed = client.get(address).content.decode()
    assert "Enough" in listed and "Too few" not in listed
    assert client.post(reverse("bookings:end-capacity-alarm", args=[held.pk])).status_code == 302
    assert not CapacityAlarm.objects.exists()


def test_another_organisations_is_neither_seen_nor_changed(
    service: HealthcareService, manager: Acting
) -> None:
    held, stranger = alarm(service, manager), make_acting(role=Role.MANAGER)
    client = Client()
    client.force_login(stranger.user)
    assert service.name not in client.get(reverse("bookings:capacity")).content.decode()
    assert client.post(reverse("bookings:end-capacity-alarm", args=[held.pk])).status_code == 404
    with pytest.raises(PolicyRefused):
        end_alarm(alarm=held, acting=stranger, now=NOW)
    with pytest.raises(PolicyRefused):
        set_alarm(service=service, least=1, hours=1, acting=stranger, now=NOW)
    assert CapacityAlarm.objects.filter(pk=held.pk).exists()
