"""Bookings in the making, and the second press of a button."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.exchange.models import OrganisationConnection
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.presenters.bookings import booking_page
from bookings.services.history import mark_patient_told
from bookings.services.requesting import (
    change_draft_slot,
    open_draft,
    purge_drafts,
    request_booking,
    save_draft_patient,
)
from bookings.services.settling import check_again
from bookings.states import BookingStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, make_booking
from tests.factories.patients import DETAILS
from tests.integration.bookings.conftest import Desk


def test_what_was_typed_and_chosen_is_kept(desk: Desk) -> None:
    draft = desk.draft()
    save_draft_patient(draft=draft, patient_data={"family_name": "O'Quill", "day": "99"}, now=NOW)
    change_draft_slot(draft=draft, chosen=desk.offers()[1], now=NOW)
    kept = BookingDraft.objects.get()
    assert kept.patient_data == {"family_name": "O'Quill", "day": "99"}
    assert (kept.slot_id, kept.start) == (str(desk.slots[1].pk), desk.slots[1].start)
    assert kept.slot_resources[0][1]["resourceType"] == "Slot"


def test_old_drafts_go_but_not_what_waits_for_a_cancellation(desk: Desk, booking: Booking) -> None:
    gone, waiting = desk.draft(), desk.draft(replaces=booking)
    Rebooking.objects.create(cancelled=booking, draft=waiting, started_at=NOW)
    Booking.objects.filter(pk=booking.pk).update(status=BookingStatus.CANCEL_UNKNOWN)
    later = NOW + timedelta(days=2)
    fresh = save_draft_patient(draft=desk.draft(), patient_data={}, now=later)
    assert purge_drafts(now=later) == 1
    assert set(BookingDraft.objects.all()) == {waiting, fresh}
    assert not BookingDraft.objects.filter(pk=gone.pk).exists()


def test_who_was_switched_off_books_nothing_and_keeps_the_draft(desk: Desk) -> None:
    draft = desk.draft()
    OrganisationConnection.objects.create(
        organisation=desk.acting.organisation,
        environment="simulator",
        service_id="2000099001",
        connected_at=NOW,
        revoked_at=NOW,
    )
    with pytest.raises(PolicyRefused, match=r"was switched off\. Nothing was sent"):
        desk.request(draft=draft)
    assert not Booking.objects.exists()
    assert BookingDraft.objects.filter(pk=draft.pk).exists()


def test_a_draft_belongs_to_its_author(desk: Desk) -> None:
    draft = desk.draft()
    stranger = make_acting(organisation=desk.acting.organisation)
    with pytest.raises(PolicyRefused, match="somebody else"):
        request_booking(draft=draft, details=DETAILS, acting=stranger, now=NOW)
    manager = make_acting(role=Role.MANAGER)
    with pytest.raises(PolicyRefused, match="not allowed"):
        open_draft(acting=manager, service=desk.service, use_case="a1t2", chosen=desk.offers()[0], now=NOW)


def test_no_new_appointment_while_the_old_one_stands(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(replaces=booking)
    with pytest.raises(PolicyRefused, match="not cancelled yet"):
        desk.request(draft=draft)


@pytest.mark.parametrize(
    "status", [BookingStatus.REQUESTED, BookingStatus.UNKNOWN, BookingStatus.BOOKED, BookingStatus.CANCELLING]
)
def test_no_second_appointment_in_the_place_of_one(desk: Desk, status: BookingStatus) -> None:
    """Also when nobody knows of the first."""
    old = make_booking(organisation=desk.acting.organisation, service=desk.service)
    drafts = [desk.draft(position=each, replaces=old) for each in range(2)]
    Booking.objects.filter(pk=old.pk).update(status=BookingStatus.CANCELLED)
    Rebooking.objects.create(cancelled=old, started_at=NOW)
    made = desk.request(draft=drafts[0])
    Booking.objects.filter(pk=made.pk).update(status=status)
    with pytest.raises(PolicyRefused, match="already asked for"):
        desk.request(draft=drafts[1])


def test_a_second_check_is_refused(desk: Desk) -> None:
    booking = desk.request()
    Booking.objects.filter(pk=booking.pk).update(status=BookingStatus.UNKNOWN)
    booking.refresh_from_db()
    with pytest.raises(TransitionRefused):
        check_again(booking=booking, acting=desk.acting, now=NOW)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN, "nothing is half-written"


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_make_one_booking(desk: Desk) -> None:
    draft, start = desk.draft(), Barrier(4)

    def press(_: int) -> object:
        try:
            start.wait(timeout=10)
            return desk.request(draft=draft).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(press, range(4)))
    assert len(made) == 1
    assert Booking.objects.count() == 1


def test_the_patient_is_told_once(desk: Desk, booking: Booking) -> None:
    assert booking_page(booking, acting=desk.acting, now=NOW).must_tell
    mark_patient_told(booking=booking, acting=desk.acting, now=NOW)
    mark_patient_told(booking=booking, acting=desk.acting, now=NOW + timedelta(hours=1))
    booking.refresh_from_db()
    assert booking.patient_told_at == NOW
    assert not booking_page(booking, acting=desk.acting, now=NOW).must_tell
