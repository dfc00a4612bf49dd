"""The pages of who waits for a time: who opens them, whom they name, and what stays on the trail."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.explanations import ReasonCode
from bookings.models import Booking, SlotStatus, WaitingEntry
from bookings.services.running import note_refusal
from bookings.states import BookingStatus
from tests.factories.bookings import make_booking
from tests.factories.patients import make_patient
from tests.integration.booking_pages.conftest import Office

LISTS = {"bookings:waiting": {Role.MANAGER}, "bookings:free-again": {Role.CLINICIAN, Role.CLERK}}


def refused_at(office: Office) -> Booking:
    """Too late for the first slot; the others are free."""
    booking = make_booking(
        organisation=office.acting.organisation,
        service=office.service,
        status=BookingStatus.REFUSED,
        explanation_code=ReasonCode.TAKEN,
        start=office.slots[0].start,
        created_at=office.network.now,
    )
    note_refusal(booking=booking, actor=office.acting.actor, now=office.network.now)
    return booking


def read(client: Client, name: str) -> str:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    return answer.content.decode()


def looks_at(booking: Booking) -> list[int | None]:
    events = AuditEvent.objects.filter(action="bookings.view_waiting_list", subject_id=str(booking.pk))
    return list(events.order_by("pk").values_list("organisation_id", flat=True))


def test_a_service_knows_whom_it_was_sent_and_nobody_else(
    office: Office, sign_in_as: Callable[..., Client]
) -> None:
    manager = sign_in_as(Role.MANAGER, office.service.provider)
    organisation = office.acting.organisation
    type(organisation).objects.filter(pk=organisation.pk).update(phone="0113 496 0000")
    booking = refused_at(office)
    patient = booking.patient
    page = read(manager, "bookings:waiting")
    assert patient.family_name.upper() in page
    assert 'href="tel:01134960000"' in page
    assert looks_at(booking) == [office.service.provider_id]
    booking.status = BookingStatus.BOOKED
    booking.save()
    WaitingEntry.objects.all().delete()
    # Now a search for the same case: nothing of the patient went to the service.
    type(office.slots[0]).objects.all().update(status=SlotStatus.BUSY_UNAVAILABLE)
    office.client.get(office.times_page, {"journey": str(booking.journey_id)})
    page = read(manager, "bookings:waiting")
    assert "Not named" in page
    assert patient.family_name.upper() not in page
    assert len(looks_at(booking)) == 1


def test_who_searched_reads_for_whom_and_books_from_there(office: Office) -> None:
    journey = make_patient(organisation=office.acting.organisation).journey
    type(office.slots[0]).objects.all().update(status=SlotStatus.BUSY_UNAVAILABLE)
    for query in ({}, {"journey": str(journey.pk)}):
        assert "no free slots" in office.client.get(office.times_page, query).content.decode()
    assert "Nothing has come free" in read(office.client, "bookings:free-again")
    type(office.slots[0]).objects.all().update(status=SlotStatus.FREE)
    page = read(office.client, "bookings:free-again")
    assert page.count("Book a time<") == 2
    assert f"journey={journey.pk}&amp;from={office.slots[0].start.date()}" in page
    events = AuditEvent.objects.filter(action="bookings.view_waiting_list")
    assert [each.subject_id for each in events] == [str(journey.pk)]
    office.client.get(office.times_page)
    assert read(office.client, "bookings:free-again").count("Book a time<") == 1


def test_the_fresh_times_of_a_refused_booking_keep_its_place(office: Office) -> None:
    booking = refused_at(office)
    type(office.slots[0]).objects.all().update(status=SlotStatus.BUSY_UNAVAILABLE)
    office.client.get(reverse("bookings:detail", args=[booking.pk]))
    assert WaitingEntry.objects.get().booking == booking
    type(office.slots[0]).objects.all().update(status=SlotStatus.FREE)
    assert f"instead={booking.pk}" in read(office.client, "bookings:free-again")


def test_taken_off_with_a_reason_by_either(office: Office, sign_in_as: Callable[..., Client]) -> None:
    manager = sign_in_as(Role.MANAGER, office.service.provider)
    for client, name, back in (
        (manager, "bookings:close-waiting", "bookings:waiting"),
        (office.client, "bookings:close-free-again", "bookings:free-again"),
    ):
        refused_at(office)
        entry = WaitingEntry.objects.get(closed_at=None)
        address = reverse(name, args=[entry.pk])
        assert "Select why this is off the list" in client.post(address).content.decode()
        assert client.post(address, {"reason": "found"}).status_code == 200, "only the program says so"
        assert client.post(address, {"reason": "offered"}).headers["Location"] == reverse(back)
        entry.refresh_from_db()
        assert entry.closed_as == "offered"
        assert client.get(address).headers["Location"] == reverse(back)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("role", list(Role))
def test_who_opens_which(office: Office, sign_in_as: Callable[..., Client], name: str, role: Role) -> None:
    refused_at(office)
    entry = WaitingEntry.objects.get()
    closing = {"bookings:waiting": "bookings:close-waiting"}.get(name, "bookings:close-free-again")
    stranger = sign_in_as(role)
    may = role in LISTS[name]
    assert stranger.get(reverse(name)).status_code == (200 if may else 403)
    stranger.post(reverse(closing, args=[entry.pk]), {"reason": "offered"})
    entry.refresh_from_db()
    assert entry.closed_at is None, "of another organisation"
