"""The whole journey with JavaScript off: find, book, not known, check again, cancel."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import ED
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser


def test_find_book_and_cancel(people: People, wire: Wire) -> None:
    person = people(javascript=False)
    page = person.page
    person.follow("Find a service", first=True)
    page.get_by_label("Name of the service").fill("Riverside Emergency")
    person.press("Search")
    person.follow("Riverside Emergency Department")
    person.follow("See available times")
    slot_id = person.choose_time()
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter family name")
    person.type_patient()
    person.press("Continue")
    person.look("Check your answers before booking", patient=True)
    person.press("Book the appointment")
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(slot_id) == 1
    person.follow("Cancel this appointment")
    page.get_by_role("radio").first.check()
    person.press("Cancel the appointment")
    person.look("Appointment cancelled", patient=True)
    assert wire.slot_status(slot_id) == "free"


def test_a_slow_answer_is_fetched_by_hand(people: People, wire: Wire) -> None:
    person = people(javascript=False)
    slot_id = person.begin(ED)
    wire.drill(ED, "slow")
    person.press("Book the appointment")
    person.look("Still confirming", patient=True)
    while person.page.locator("h1").inner_text() == "Still confirming":
        person.page.wait_for_timeout(500)
        person.follow("Check now")
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(slot_id) == 1
