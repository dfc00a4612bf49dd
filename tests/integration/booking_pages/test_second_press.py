"""Pressing twice, going back, two tabs: one booking."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse

from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import OutboundMessage
from bookings.models import Booking, BookingDraft
from tests.factories.accounts import make_acting
from tests.integration.booking_pages.conftest import ANSWERS, Office, client_of, make_office, row_counts
from tests.integration.bookings.loopback import Loopback, refusing


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


@pytest.mark.parametrize("name", ["patient", "check", "approval", "rebook-confirm", "discard"])
def test_every_page_of_a_sent_draft_leads_to_its_booking(office: Office, name: str) -> None:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    booking = Booking.objects.get(direction=Direction.SENT)
    address = reverse(f"bookings:{name}", args=[draft.pk])
    before = row_counts()
    for ask in (office.client.get, office.client.post):
        if name != "discard" or ask is office.client.post:
            assert ask(address)["Location"] == reverse("bookings:detail", args=[booking.pk])
    assert row_counts() == before
    stranger = client_of(make_acting())
    assert stranger.post(address).status_code == 404


def test_its_times_lead_to_the_booking_too(office: Office) -> None:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    booking = Booking.objects.get(direction=Direction.SENT)
    address = f"{office.times_page}?draft={draft.pk}"
    for response in (office.client.get(address), office.client.post(address, {"slot": office.chosen(1)})):
        assert response["Location"] == reverse("bookings:detail", args=[booking.pk])
    assert not BookingDraft.objects.exists()


def test_what_was_refused_is_booked_once_more_and_not_twice(office: Office) -> None:
    """In the same case; back on the refused one's page no second appointment is offered."""
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    office.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    office.network.deliver_all()
    refused = Booking.objects.get()
    address = reverse("bookings:detail", args=[refused.pk])
    assert "Choose another time" in office.client.get(address).content.decode()
    times = f"{office.times_page}?instead={refused.pk}"
    check = office.client.post(times, {"slot": office.chosen(1)})["Location"]
    office.client.post(check)
    office.network.deliver_all()
    second = Booking.objects.filter(direction=Direction.SENT).exclude(pk=refused.pk).get()
    assert second.journey == refused.journey
    shown = office.client.get(address).content.decode()
    assert reverse("bookings:detail", args=[second.pk]) in shown
    assert "Choose another time" not in shown
    for response in (office.client.get(times), office.client.post(times, {"slot": office.chosen(2)})):
        assert response["Location"] == reverse("bookings:detail", args=[second.pk])
    assert not BookingDraft.objects.exists()


def test_a_cancelled_booking_is_not_cancelled_twice(office: Office, booking: Booking) -> None:
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
