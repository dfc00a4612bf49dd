"""Confirming a booking: its way through the files, as docs/ARCHITECTURE.md has it."""

from django.urls import reverse

from tests.integration.booking_pages.conftest import ANSWERS, Office
from tests.integration.ways import check, traced


def test_confirming_a_booking(office: Office) -> None:
    for _ in range(2):
        # The second time the service has been asked already what it takes.
        draft = office.draft(answers=ANSWERS)
        with traced("bookings/views/drafting.py", "request_booking") as way:
            office.client.post(reverse("bookings:check", args=[draft.pk]))
    check(way, "Confirming a booking, to the commit", most_stages=15, most_returns=3)
