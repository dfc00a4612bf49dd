"""A booking that the service holds otherwise than we asked: what the pages say, and offer."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bookings.models import Booking
from bookings.states import BookingStatus
from tests.integration.booking_pages.conftest import ANSWERS, Office
from tests.integration.bookings.loopback import answering
from tests.integration.bookings.test_whole_way import echoing_with

LATER = {"start": "2031-03-03T11:00:00Z", "end": "2031-03-03T11:15:00Z"}


def not_as_asked(office: Office) -> Booking:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    office.network.before.append(echoing_with(**LATER))
    office.network.deliver_all()
    return Booking.objects.get(draft_id=draft.pk)


def shown(office: Office, name: str, booking: Booking) -> str:
    return office.client.get(reverse(f"bookings:{name}", args=[booking.pk])).content.decode()


def test_both_times_are_said_and_nobody_is_told(office: Office) -> None:
    booking = not_as_asked(office)
    page = shown(office, "detail", booking)
    for words in ("Not booked as we asked", "Do not tell the patient a time yet", "We asked for"):
        assert words in page
    assert "Monday 3 March 2031, 11:00 to 11:15" in page
    assert "I have told the patient" not in page
    assert "Appointment booked" not in page
    assert "(asked for)" in office.client.get(reverse("bookings:list")).content.decode()
    home = office.client.get("/").content.decode()
    assert "bookings not as asked for" in home.lower()


def test_a_person_settles_it(office: Office) -> None:
    booking = not_as_asked(office)
    office.network.before.append(answering(booking.resource))
    again = office.client.post(reverse("bookings:ask-service-again", args=[booking.pk]), follow=True)
    assert "Not booked as we asked" in again.content.decode()
    taken = office.client.post(reverse("bookings:accept", args=[booking.pk]), follow=True)
    assert "Appointment booked" in taken.content.decode()
    assert "The appointment is on Monday 3 March 2031 at 11:00" in taken.content.decode()
    # A second press, and a page that is out of date.
    for name in ("accept", "ask-service-again"):
        late = office.client.post(reverse(f"bookings:{name}", args=[booking.pk]), follow=True)
        assert "holds this appointment as it was asked for" in late.content.decode()


@pytest.mark.parametrize("name", ["accept", "ask-service-again"])
def test_only_those_who_book_settle_it(office: Office, sign_in_as: Callable[..., Client], name: str) -> None:
    booking = not_as_asked(office)
    stranger = sign_in_as(Role.CLINICIAN)
    assert stranger.post(reverse(f"bookings:{name}", args=[booking.pk])).status_code == 404
    booking.refresh_from_db()
    assert booking.status == BookingStatus.NOT_AS_ASKED
