"""That a service does not answer is said before it is chosen, and while something waits for it."""

from datetime import datetime

import pytest
from django.urls import reverse

from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import FAILURES, Admission
from bars_portal.exchange.transport.judgement import Health
from bars_portal.nhsuk.dates import format_time
from bars_portal.sql import database_time
from bookings.models import Booking
from tests.integration.booking_pages.conftest import ANSWERS, Office

pytestmark = pytest.mark.django_db


def fall_silent(office: Office) -> datetime:
    now = database_time()
    for _ in range(FAILURES):
        circuits.note(office.service.service_id, Health.DOWN, Admission.FREE, now=now)
    return now


def page(office: Office, address: str) -> str:
    return " ".join(office.client.get(address).content.decode().split())


def test_it_is_said_in_the_list_on_the_service_and_on_its_times(office: Office) -> None:
    service = office.service
    listed = f"{reverse('directory:search')}?name={service.name}"
    shown = reverse("directory:service", args=[service.service_id])
    times = reverse("bookings:slots", args=[service.service_id])
    words = "has not been answering since"
    assert not any(words in page(office, each) for each in (listed, shown, times))
    since = fall_silent(office)
    asked = len(office.network.requests)
    sentence = f"This service {words} {format_time(since)}. Phone it, or choose another service"
    for each in (listed, shown, times):
        assert sentence in page(office, each)
    assert len(office.network.requests) == asked, "it is spared"
    circuits.note(service.service_id, Health.UP, Admission.FREE, now=since)
    assert words not in page(office, times)


def test_what_waits_for_it_says_so(office: Office) -> None:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    booking = Booking.objects.get(draft_id=draft.pk)
    detail = reverse("bookings:detail", args=[booking.pk])
    assert "This goes out as soon as it answers." not in page(office, detail)
    fall_silent(office)
    assert "This goes out as soon as it answers." in page(office, detail)
