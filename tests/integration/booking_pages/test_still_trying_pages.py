"""What people read while a message is still tried, and once it was tried to the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.exchange.models import OutboundMessage
from bars_portal.nhsuk.dates import format_time
from bookings.models import Booking
from tests.integration.booking_pages.conftest import ANSWERS, Office
from tests.integration.bookings.loopback import timeout

LIST = "/referrals/given-up/"


def lost(office: Office) -> Booking:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    office.network.before.append(timeout)
    office.network.deliver_all()
    return Booking.objects.get(draft_id=draft.pk)


def page(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_still_trying_says_when_and_invites_no_second_booking(office: Office) -> None:
    booking = lost(office)
    due = OutboundMessage.objects.get().next_attempt_at
    assert due is not None
    text = page(office.client, reverse("bookings:detail", args=[booking.pk]))
    assert f"Still trying, next attempt at {format_time(due)}." in text
    assert "do not book another slot" in text
    assert "Check again" in text
    for offer in ("Choose another time", "find another service", "Rebook for another time"):
        assert offer not in text


def test_the_waiting_page_asks_and_is_loaded_anew_once_it_is_settled(office: Office) -> None:
    booking = lost(office)
    address = reverse("bookings:status", args=[booking.pk])
    seen = {"seen": booking.updated_at.isoformat()}
    waiting = office.client.get(address, seen)
    assert waiting.content.decode().startswith("Still trying, next attempt at")
    assert "HX-Refresh" not in waiting.headers
    office.network.deliver_due(after=timedelta(hours=2))
    assert office.client.get(address, seen).headers["HX-Refresh"] == "true"


def test_what_was_given_up_is_listed_until_somebody_settles_it(
    office: Office, settings: Any, sign_in_as: Callable[..., Client]
) -> None:
    settings.BARS_RETRY_SECONDS = ()
    booking = lost(office)
    detail = reverse("bookings:detail", args=[booking.pk])
    assert "We tried several times and have stopped." in page(office.client, detail)
    assert f'href="{detail}"' in page(office.client, LIST)
    assert "Messages that we stopped sending: 1" in page(office.client, "/")
    manager = page(sign_in_as(Role.MANAGER, office.acting.organisation), LIST)
    assert office.service.name in manager
    assert detail not in manager, "who may not open it gets no link"
    assert office.service.name not in page(sign_in_as(Role.CLINICIAN), LIST), "another organisation"
    office.client.post(reverse("bookings:check-again", args=[booking.pk]))
    office.network.deliver_all()
    assert "Nothing was given up" in page(office.client, LIST)


@pytest.mark.parametrize("role", [Role.AUDITOR])
def test_who_does_not_see_the_list(sign_in_as: Callable[..., Client], role: Role) -> None:
    assert sign_in_as(role).get(LIST).status_code == 403
