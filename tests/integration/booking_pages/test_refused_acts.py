"""What a person tried and a policy refused is on the trail; what their page only asked about is not."""

import pytest
from django.test import Client

from bars_portal.audit.models import AuditEvent
from bookings.states import BookingStatus
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import make_booking

pytestmark = pytest.mark.django_db


def refused() -> list[tuple[str | None, dict[str, str]]]:
    events = AuditEvent.objects.filter(action="accounts.act", outcome="refused")
    return [(each.actor_user.username if each.actor_user else None, each.detail) for each in events]


def test_what_was_tried_and_refused_is_on_the_trail(client: Client) -> None:
    organisation = make_organisation()
    person = make_user(organisation=organisation)
    booking = make_booking(organisation=organisation, status=BookingStatus.REFUSED)
    client.force_login(person)
    # The page asks what may be done with it.
    client.get(f"/bookings/{booking.pk}/")
    assert refused() == []
    client.post(f"/bookings/{booking.pk}/told/")
    assert refused() == [(person.username, {"page": "bookings:told", "of": str(booking.pk)})]
