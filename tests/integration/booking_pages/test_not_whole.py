"""The times page when the answer of the service is not all of it: what is missing is said in plain words."""

from typing import Any

import pytest
from django.urls import reverse

from bookings.models import Booking, BookingDraft, Slot
from tests.integration.booking_pages.conftest import Office
from tests.integration.bookings.loopback import answering, timeout

pytestmark = pytest.mark.django_db


def resource(slot: Slot, **changes: Any) -> dict[str, Any]:
    fields = {
        "resourceType": "Slot",
        "id": str(slot.pk),
        "status": "free",
        "schedule": {"reference": "Schedule/1"},
        "start": slot.start.isoformat(),
        "end": slot.end.isoformat(),
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def searchset(*slots: dict[str, Any], **members: Any) -> dict[str, Any]:
    schedule = {"resourceType": "Schedule", "id": "1", "actor": [{"reference": "HealthcareService/1"}]}
    entries = [{"resource": each} for each in (*slots, schedule)]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


def times(office: Office, *answers: Any) -> str:
    office.client.get(office.times_page)  # what the service takes is asked before its times
    office.network.before[:] = [each if callable(each) else answering(each) for each in answers]
    return office.client.get(office.times_page).content.decode().replace("&#43;", "+")


def test_times_that_cannot_be_shown_are_counted_beside_those_that_can(office: Office) -> None:
    one, two, three = office.slots
    page = times(
        office,
        searchset(resource(one), resource(two, end=None), resource(three, start="2026-11-22T10:00:00")),
    )
    assert office.chosen(0) in page
    assert office.chosen(1) not in page
    assert "The answer of this service is not complete" in page
    assert "1 time of which the service did not say when they start or end" in page
    assert "1 time without a time zone or unreadable" in page
    assert "Phone the service" in page


def test_none_readable_is_not_none(office: Office) -> None:
    page = times(office, searchset(*(resource(each, status=None) for each in office.slots)))
    assert "none of its times can be shown" in page
    assert "3 times of which the service did not say whether they are free" in page
    assert "no free" not in page
    assert "Try again" in page


def test_none_is_none_when_the_service_says_so(office: Office) -> None:
    page = times(office, {"resourceType": "Bundle", "type": "searchset", "total": 0})
    assert "This service has no free slots at these times" in page
    assert "Not shown" not in page


def test_a_whole_answer_says_nothing_of_the_kind(office: Office) -> None:
    page = office.client.get(office.times_page).content.decode()
    assert "not complete" not in page
    assert "Not shown" not in page


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (timeout, "It is not known whether that time is still free"),
        (searchset(total=4), "It is not known whether that time is still free"),
        ({"resourceType": "Bundle", "type": "searchset", "total": 0}, "That time is no longer free"),
    ],
    ids=["no answer", "not whole", "none"],
)
def test_a_chosen_time_is_called_gone_only_when_it_is(office: Office, answer: Any, words: str) -> None:
    office.client.get(office.times_page)
    office.network.before[:] = [answer if callable(answer) else answering(answer)]
    page = office.client.post(office.times_page, {"slot": office.chosen()})
    assert page.status_code == 409
    assert words in page.content.decode()
    assert not BookingDraft.objects.exists()


def test_a_time_that_was_moved_is_not_taken_for_the_chosen_one(office: Office) -> None:
    chosen, slot = office.chosen(2), office.slots[2]
    Slot.objects.filter(pk=slot.pk).update(start=slot.end, end=slot.end + (slot.end - slot.start))
    page = office.client.post(office.times_page, {"slot": chosen})
    assert page.status_code == 409
    assert "That time is no longer free" in page.content.decode()


def test_a_refused_booking_shows_other_times_with_what_is_missing(office: Office, booking: Booking) -> None:
    type(booking).objects.filter(pk=booking.pk).update(status="refused")
    office.network.before[:] = [answering(searchset(resource(office.slots[1]), total=7))]
    page = office.client.get(reverse("bookings:detail", args=[booking.pk])).content.decode()
    assert office.chosen(1) in page.replace("&#43;", "+")
    assert "6 times that the service has but did not send" in page
