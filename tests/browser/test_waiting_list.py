"""There was no time for a patient: the manager sees who waits, and who asked hears of a free one."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import FAMILY, HUB, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser


def refused(person: Person, wire: Wire) -> None:
    """Somebody else has the time when the booking arrives."""
    wire.take(person.begin(HUB))
    person.press("Book the appointment")
    expect(person.page.locator("main")).to_contain_text("Somebody else took this time")


def waiting(manager: Person) -> int:
    """From Today, where it counts anybody, to the list; how many of this name are on it."""
    manager.go()
    manager.look("Today")
    counted = manager.page.locator("a", has_text="People who could not be booked today")
    if counted.count():
        counted.click()
    else:
        manager.go("/bookings/diary/waiting/")
    manager.look("Waiting list of today")
    return manager.page.locator("tr", has_text=FAMILY.upper()).count()


def book_what_is_free(person: Person) -> None:
    person.go()
    person.look("Today")
    person.follow("People you could not book, and a time is free now")
    person.look("Times that are free now")
    line = person.page.locator("tr", has_text=FAMILY.upper()).last
    line.get_by_role("link", name="Book a time").click()
    person.choose_time(day=0, position=3)
    person.look("Check your answers before booking", patient=True)
    person.press("Book the appointment")
    expect(person.page.locator("h1")).to_contain_text("Appointment booked")


def take_off(manager: Person) -> None:
    """Why is asked, and said at the field when it is not told."""
    page = manager.page
    line = page.locator("tr", has_text="Not named").last
    expect(line).to_contain_text("Nothing")
    line.get_by_role("link", name="Take off").click()
    manager.look("Take off the waiting list")
    manager.press("Take off the list")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    manager.look("Take off the waiting list")
    page.get_by_label("No appointment is needed any more").check()
    manager.press("Take off the list")
    expect(page.locator("main")).to_contain_text("It is off the list")


@pytest.mark.further
def test_a_time_comes_free_for_who_found_none(people: People, wire: Wire) -> None:
    person, manager = people(), people("manager")
    refused(person, wire)
    before = waiting(manager)
    assert before >= 1
    book_what_is_free(person)
    assert waiting(manager) == before - 1, "it closes by itself"
    # So far ahead no slot is made yet.
    far = datetime.now(UTC).date() + timedelta(days=90)
    person.go(f"/bookings/services/{HUB}/times/?from={far.isoformat()}")
    expect(person.page.locator("main")).to_contain_text("no free slots at these times")
    waiting(manager)
    unnamed = manager.page.locator("tr", has_text="Not named").count()
    take_off(manager)
    assert manager.page.locator("tr", has_text="Not named").count() == unnamed - 1
