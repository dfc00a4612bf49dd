"""Bookings and referrals of one case, told by what both say."""

from typing import Any
from uuid import uuid4

import pytest

from bars_portal.correspondence.states import Direction
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.cases.links import bookings_of, referrals_of
from referrals.cases.models import Referral
from referrals.cases.states import CaseStatus
from tests.factories.bookings import TOMORROW, make_booking
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case, make_hub

pytestmark = pytest.mark.django_db


def pair(**booking: Any) -> tuple[Booking, Referral]:
    """A received booking and a received referral of one patient, not linked yet."""
    hub = make_hub()
    patient = make_patient(organisation=hub.provider)
    made = make_booking(direction=Direction.RECEIVED, service=hub, patient=patient, start=TOMORROW, **booking)
    case = make_case(service=hub, patient=patient)
    assert isinstance(case, Referral)
    return made, case


def linked(booking: Booking, referral: Referral) -> list[bool]:
    """Whether each side tells the link, and that it is live; [] when neither knows the other."""
    from_referral, from_booking = bookings_of(referral), referrals_of(booking)
    assert [each.live for each in from_referral] == [each.live for each in from_booking]
    return [each.live for each in from_referral]


def test_two_of_one_patient_are_not_linked_by_that() -> None:
    assert linked(*pair()) == []


def test_booked_first() -> None:
    booking, referral = pair()
    Referral.objects.filter(pk=referral.pk).update(booking_ids=[booking.pk, uuid4()])
    referral.refresh_from_db()
    assert linked(booking, referral) == [True]


def test_referred_first() -> None:
    booking, referral = pair()
    booking.resource = {"basedOn": [{"reference": f"ServiceRequest/{referral.pk}"}]}
    booking.save()
    assert linked(booking, referral) == [True]


@pytest.mark.parametrize("side", ["booking", "referral"])
def test_cancelling_one_decouples_the_other(side: str) -> None:
    booking, referral = pair(status=BookingStatus.CANCELLED if side == "booking" else BookingStatus.BOOKED)
    referral.booking_ids = [booking.pk]
    referral.status = CaseStatus.REVOKED if side == "referral" else CaseStatus.RECEIVED
    referral.save()
    assert linked(booking, referral) == [False]


def test_an_id_of_another_organisation_links_nothing() -> None:
    booking, _ = pair()
    _, referral = pair()
    referral.booking_ids = [booking.pk]
    referral.save()
    assert linked(booking, referral) == []


def test_odd_references_link_nothing() -> None:
    booking, referral = pair()
    booking.resource = {"basedOn": [{"reference": "ServiceRequest/not-an-id"}, {"display": "words"}]}
    booking.save()
    assert linked(booking, referral) == []
