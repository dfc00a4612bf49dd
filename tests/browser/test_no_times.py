"""No times to choose: which of the reasons it is, in plain words, and where to go from here."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import People
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
CASES = [
    ("2000073917", "This service has no free slots at these times", "Look at later days"),
    ("2000081230", "This service did not answer", "Find another service"),
    ("2000099000", "This service does not take bookings", "Find another service"),
]


@pytest.mark.parametrize(("service", "words", "next_step"), CASES, ids=["none", "no answer", "no bookings"])
def test_each_reason_is_told_with_a_next_step(
    people: People, width: int, service: str, words: str, next_step: str
) -> None:
    person = people(width=width)
    person.open_times(service)
    expect(person.page.locator("main")).to_contain_text(words)
    expect(person.page.get_by_role("button", name="on ")).to_have_count(0)
    person.look()
    person.page.locator("main").get_by_role("link", name=next_step).click()
    expect(person.page.locator("h1")).to_contain_text(
        "Choose a time" if "later" in next_step else "Find a service"
    )


def test_a_service_that_takes_no_bookings_says_so_before_the_times(people: People) -> None:
    person = people()
    person.go("/services/2000099000/")
    expect(person.page.locator("a", has_text="See available times")).to_have_count(0)
    person.look("Northern 111 replies")


def test_days_can_be_turned_and_asked_for(people: People) -> None:
    person = people(width=PHONE)
    person.open_times("2000099002")
    expect(person.page.get_by_role("link", name="Earlier days")).to_have_count(0)
    person.follow("Later days")
    expect(person.page.get_by_role("link", name="Earlier days")).to_have_count(1)
    person.page.get_by_label("Day", exact=True).fill("31")
    person.page.get_by_label("Month").fill("2")
    person.page.get_by_label("Year").fill("2027")
    person.press("Show times")
    expect(person.page.locator(".nhsuk-error-summary")).to_contain_text("must be a real date")
    expect(person.page.get_by_label("Month")).to_have_value("2")
    person.look("Choose a time")


@pytest.mark.further
@pytest.mark.alone
def test_the_receiver_does_not_answer_this_once(people: People, wire: Wire) -> None:
    person = people()
    # It has said what it takes, so the times are the next thing that it is asked.
    person.open_times("2000099003")
    wire.drill("2000099003", "503", method="GET")
    person.open_times("2000099003")
    expect(person.page.locator("main")).to_contain_text("This service did not answer")
    person.follow("Try again")
    expect(person.page.locator(".app-slots__table")).to_be_visible()


@pytest.mark.further
def test_services_found_are_compared_by_their_first_free_time(people: People, width: int) -> None:
    person = people(width=width)
    person.go("/services/?name=riverside")
    person.follow("Compare their first free times")
    rows = person.page.locator("main tbody tr")
    assert rows.count() >= 5
    expect(rows.first).to_contain_text(":")
    person.look("First free times")
    person.follow("Riverside Pharmacy")
    expect(person.page.locator("h1")).to_contain_text("Choose a time")
