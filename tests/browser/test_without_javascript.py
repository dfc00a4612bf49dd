"""The whole journey with JavaScript off: find, book, not known, check again, cancel."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import ED, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
WAITING = ("Still confirming", "Cancelling")
ANSWERED = re.compile("Still confirming|Cancelling|Appointment (booked|cancelled)")


def check_until_it_is_known(person: Person) -> None:
    """Once the page after a button is there: ask again by hand for as long as it offers that."""
    expect(person.page.locator("h1")).to_contain_text(ANSWERED)
    while person.page.locator("h1").inner_text().strip() in WAITING:
        person.page.wait_for_timeout(500)
        with person.page.expect_navigation():
            person.follow("Check now")


def test_find_book_and_cancel(people: People, wire: Wire) -> None:
    person = people(javascript=False)
    page = person.page
    person.go()
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
    check_until_it_is_known(person)
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(slot_id) == 1
    person.follow("Cancel this appointment")
    page.get_by_role("radio").first.check()
    person.press("Cancel the appointment")
    check_until_it_is_known(person)
    person.look("Appointment cancelled", patient=True)
    assert wire.slot_status(slot_id) == "free"


@pytest.mark.further
@pytest.mark.alone
def test_a_slow_answer_is_fetched_by_hand(people: People, wire: Wire) -> None:
    person = people(javascript=False)
    slot_id = person.begin(ED)
    wire.drill(ED, "slow")
    person.press("Book the appointment")
    person.look("Still confirming", patient=True)
    check_until_it_is_known(person)
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(slot_id) == 1
