"""A booking and a referral of one case, whichever came first: both sides can tell."""

from datetime import timedelta

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.patients.models import Journey
from bookings.models import Booking, BookingDraft
from bookings.presenters.slots import usual_route
from bookings.services.requesting import request_booking
from bookings.states import BookingStatus
from referrals.cases.links import bookings_of, referrals_of
from referrals.cases.states import CaseStatus
from referrals.sending import drafts
from referrals.sending.models import RequestDraft
from tests.factories.accounts import make_acting
from tests.factories.bookings import TOMORROW, make_booking, make_schedule, make_slot
from tests.factories.patients import DETAILS
from tests.factories.referrals import make_hub
from tests.integration.bookings.conftest import Desk as BookingDesk
from tests.integration.referrals.sending import Desk, theirs


@pytest.fixture
def booking_desk(sender: Desk) -> BookingDesk:
    schedule = make_schedule(service=sender.service)
    slots = [make_slot(schedule=schedule, start=TOMORROW + timedelta(minutes=15 * n)) for n in range(2)]
    return BookingDesk(sender.acting, sender.service, slots, sender.network)


def book(sender: BookingDesk, journey: Journey | None = None) -> Booking:
    draft = sender.draft()
    # The referral's time frame is today, the slots are tomorrow.
    BookingDraft.objects.filter(pk=draft.pk).update(journey=journey, approved_by=sender.acting.user)
    booking = request_booking(draft=draft, details=DETAILS, acting=sender.acting, now=sender.network.now)
    sender.network.deliver_all()
    booking.refresh_from_db()
    return booking


def test_booked_first(sender: Desk, booking_desk: BookingDesk) -> None:
    booking = book(booking_desk)
    sender.service.requires_booking = True
    referral = sender.sent(booking=booking)
    assert (referral.journey, referral.patient) == (booking.journey, booking.patient)
    assert [str(each) for each in referral.booking_ids] == [booking.remote_id]
    (link,) = bookings_of(referral)
    assert (link.booking, link.live) == (booking, True)
    (link,) = bookings_of(theirs(referral))
    assert (str(link.booking.pk), link.live) == (booking.remote_id, True)


def test_referred_first(sender: Desk, booking_desk: BookingDesk) -> None:
    referral = sender.sent()
    booking = book(booking_desk, journey=referral.journey)
    assert booking.resource["basedOn"] == [{"reference": f"ServiceRequest/{referral.remote_id}"}]
    (link,) = referrals_of(booking)
    assert (link.referral, link.live) == (referral, True)
    received = Booking.objects.get(direction=Direction.RECEIVED)
    (link,) = referrals_of(received)
    assert (str(link.referral.pk), link.live) == (referral.remote_id, True)


def test_a_booking_goes_by_the_route_of_the_referral_that_it_rests_on(sender: Desk) -> None:
    """Elsewhere, and without one that stands, by the first that the service takes."""
    referral = sender.sent(use_case=UseCase.A2T1)
    codes = [UseCase.A1T1, UseCase.A2T1]
    assert usual_route(codes, referral.journey, sender.service) == UseCase.A2T1
    assert usual_route(codes, None, sender.service) == UseCase.A1T1
    assert usual_route(codes[:1], referral.journey, sender.service) == UseCase.A1T1
    assert usual_route(codes, referral.journey, make_hub()) == UseCase.A1T1
    sender.arrive(sender.revoke(referral))
    assert usual_route(codes, referral.journey, sender.service) == UseCase.A1T1


def test_a_booking_rests_only_on_what_stands_at_the_same_service(
    sender: Desk, booking_desk: BookingDesk
) -> None:
    referral = sender.arrive(sender.revoke(sender.sent()))
    assert referral.status == CaseStatus.REVOKED
    assert "basedOn" not in book(booking_desk, journey=referral.journey).resource


def test_a_journey_of_another_organisation_is_not_joined(sender: Desk, booking_desk: BookingDesk) -> None:
    referral = sender.sent()
    booking_desk.acting = sender.acting = make_acting()
    with pytest.raises(PolicyRefused, match="another organisation"):
        book(booking_desk, journey=referral.journey)
    with pytest.raises(PolicyRefused, match="another organisation"):
        sender.refer(journey=referral.journey)


@pytest.mark.parametrize("status", [BookingStatus.CANCELLED, BookingStatus.REFUSED, BookingStatus.REQUESTED])
def test_a_booking_that_does_not_stand_is_none(sender: Desk, status: BookingStatus) -> None:
    sender.service.requires_booking = True
    booking = make_booking(organisation=sender.acting.organisation, service=sender.service, status=status)
    with pytest.raises(PolicyRefused, match="Book the appointment first"):
        sender.refer(booking=booking)


def test_the_booking_of_the_journey_is_found(sender: Desk) -> None:
    sender.service.requires_booking = True
    booking = make_booking(
        organisation=sender.acting.organisation,
        service=sender.service,
        remote_id="3cac9cde-a262-42b3-bcf1-215ab79c3e37",
    )
    referral = sender.refer(journey=booking.journey)
    assert [str(each) for each in referral.booking_ids] == [booking.remote_id]


# -- drafts


def test_what_was_typed_is_kept_and_old_drafts_go(sender: Desk) -> None:
    draft = drafts.create_request_draft(
        acting=sender.acting, service=sender.service, use_case="a1t1", now=sender.now
    )
    typed = {"assessment": {"narrative": "O'Quill \u00e9", "started": "99"}}
    drafts.save_request_draft(draft=draft, typed=typed, now=sender.now)
    assert RequestDraft.objects.get().typed == typed
    fresh = drafts.create_request_draft(
        acting=sender.acting, service=sender.service, use_case="a1t1", now=sender.now + timedelta(days=2)
    )
    assert drafts.purge_request_drafts(now=sender.now + timedelta(days=2)) == 1
    assert list(RequestDraft.objects.all()) == [fresh]
    drafts.discard_request_draft(draft=fresh)
    assert not RequestDraft.objects.exists()


def test_a_draft_belongs_to_its_author(sender: Desk) -> None:
    draft = drafts.create_request_draft(
        acting=sender.acting, service=sender.service, use_case="a1t1", now=sender.now
    )
    sender.acting = make_acting(organisation=sender.acting.organisation)
    with pytest.raises(PolicyRefused, match="somebody else"):
        sender.refer(draft=draft)


def test_a_draft_that_could_never_be_sent_is_not_begun(sender: Desk) -> None:
    with pytest.raises(PolicyRefused, match="requests of this kind"):
        drafts.create_request_draft(
            acting=sender.acting, service=sender.service, use_case="a9t9", now=sender.now
        )
    referral = sender.sent()
    with pytest.raises(PolicyRefused, match="refer again"):
        drafts.create_request_draft(
            acting=sender.acting,
            service=sender.service,
            use_case=UseCase.A1T1,
            now=sender.now,
            updates=referral,
        )
