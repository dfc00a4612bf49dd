"""Pressing twice, going back, two tabs: one booking."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse

from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import OutboundMessage
from bookings.models import Booking, BookingDraft
from tests.integration.booking_pages.conftest import ANSWERS, Office, client_of, make_office, row_counts
from tests.integration.bookings.loopback import Loopback


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one_booking(network: Loopback) -> None:
    office = make_office(network)
    draft = office.draft(answers=ANSWERS)
    address = reverse("bookings:check", args=[draft.pk])

    def press(_: int) -> tuple[int, str]:
        try:
            response = client_of(office.acting).post(address)
            return response.status_code, response["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = set(threads.map(press, range(2)))
    booking = Booking.objects.get(direction=Direction.SENT)
    assert answers == {(302, reverse("bookings:detail", args=[booking.pk]))}
    assert OutboundMessage.objects.count() == 1


def test_the_back_button_after_booking_leads_to_the_booking(office: Office) -> None:
    draft = office.draft(answers=ANSWERS)
    address = reverse("bookings:check", args=[draft.pk])
    office.client.post(address)
    booking = Booking.objects.get(direction=Direction.SENT)
    before = row_counts()
    for response in (office.client.get(address), office.client.post(address)):
        assert response["Location"] == reverse("bookings:detail", args=[booking.pk])
    assert row_counts() == before


def test_a_cancelled_booking_is_not_cancelled_twice(office: Office) -> None:
    booking = office.booked()
    address = reverse("bookings:cancel", args=[booking.pk])
    for _ in range(2):
        office.client.post(address, {"reason": "patient"})
        office.network.deliver_all()
    assert OutboundMessage.objects.count() == 2
    booking.refresh_from_db()
    assert booking.status == "cancelled"


def test_giving_up_deletes_what_was_typed(office: Office) -> None:
    draft = office.draft(answers=ANSWERS)
    address = reverse("bookings:discard", args=[draft.pk])
    assert office.client.get(address).status_code == 405
    office.client.post(address)
    assert not BookingDraft.objects.exists()
    assert office.client.post(address).status_code == 404
