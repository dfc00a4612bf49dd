"""Somebody else was faster: it is said, everything typed stays, and fresh times are there at once."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import FAMILY, HUB, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser


def choose_another(person: Person, wire: Wire, taken: str) -> None:
    """From the fresh times straight to the answers, with nothing typed again, and booked."""
    expect(person.page.locator(f"button[value^='{taken}']")).to_have_count(0)
    slot_id = person.choose_time(day=0)
    person.look("Check your answers before booking", patient=True)
    person.press("Book the appointment")
    expect(person.page.locator("h1")).to_contain_text("Appointment booked")
    assert wire.booked_on(slot_id) == 1


@pytest.mark.further
def test_taken_while_the_patient_was_typed(people: People, wire: Wire, width: int) -> None:
    slow, quick = people(width=width), people("clerk")
    slot_id = slow.begin(HUB)
    quick.open_times(HUB)
    quick.page.locator(f"button[value^='{slot_id}']").click()
    quick.type_patient()
    quick.press("Continue")
    quick.press("Book the appointment")
    expect(quick.page.locator("h1")).to_contain_text("Appointment booked")
    slow.press("Book the appointment")
    expect(slow.page.locator("main")).to_contain_text("Somebody else took this time")
    expect(slow.page.locator("main")).to_contain_text("What you typed about the patient is kept")
    slow.look("Not booked", patient=True)
    choose_another(slow, wire, slot_id)
    assert wire.booked_on(slot_id) == 1


def test_taken_between_the_page_and_the_choice(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    person.open_times(HUB)
    button = person.page.locator(".app-slots__table tbody tr").nth(1).locator("button").nth(5)
    slot_id = (button.get_attribute("value") or "").partition("|")[0]
    wire.take(slot_id)
    button.click()
    expect(person.page.locator(".nhsuk-error-summary")).to_contain_text("That time is no longer free")
    expect(person.page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(person.page.locator(f"button[value^='{slot_id}']")).to_have_count(0)
    person.look("Choose a time at Riverside Hub")
    person.follow("That time is no longer free")
    expect(person.page.locator("button#slot")).to_be_focused()
    person.choose_time()
    expect(person.page.locator("h1")).to_contain_text("Who is the appointment for?")


def test_taken_while_another_time_was_chosen_for_a_known_patient(people: People, wire: Wire) -> None:
    person = people()
    person.begin(HUB)
    person.follow("Change the time")
    button = person.page.locator(".app-slots__table tbody tr").nth(1).locator("button").nth(7)
    wire.take((button.get_attribute("value") or "").partition("|")[0])
    button.click()
    expect(person.page.locator(".nhsuk-error-summary")).to_contain_text("That time is no longer free")
    person.choose_time(position=9)
    expect(person.page.locator(".app-patient")).to_contain_text(FAMILY.upper())
    expect(person.page.locator("h1")).to_contain_text("Check your answers before booking")
