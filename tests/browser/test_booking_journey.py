"""The main job: find a service, choose a time, say who it is for, book, and see it on both sides."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import People
from tests.browser.person import FAMILY, GIVEN, SECRETS, Person
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
SERVICE = "Riverside Urgent Treatment Centre"


def find_service(person: Person) -> None:
    """By name, then by half a postcode, to the service's page."""
    page = person.page
    person.look("Today")
    expect(person.page.locator("main")).to_contain_text("You are signed in as Chris Linnell.")
    person.follow("Find a service", first=True)
    person.look("Find a service")
    page.get_by_label("Name of the service").fill("Riverside")
    person.press("Search")
    expect(page.locator("#results")).to_contain_text(SERVICE)
    person.look("Find a service")
    person.follow("Clear the search")
    expect(page.get_by_label("Name of the service")).to_have_value("")
    page.get_by_label("Postcode").fill("LS1")
    person.press("Search")
    expect(page.locator("#results")).to_contain_text("mile")
    person.look("Find a service")
    person.follow(SERVICE)
    person.look(SERVICE)


def leave_the_form_empty(person: Person) -> None:
    """Errors take the focus and lead to their fields; what was typed stays."""
    page = person.page
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    person.look("Who is the appointment for?")
    person.follow("Enter family name")
    expect(page.locator("#id_family_name")).to_be_focused()
    person.type_patient(without="phone")
    person.press("Continue")
    # The page before said that too, and more.
    expect(page.locator(".nhsuk-error-summary")).not_to_contain_text("Enter family name")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter a call-back phone number")
    expect(page.locator("#id_family_name")).to_have_value(FAMILY)
    expect(page.locator("[id=id_birth_date-year]")).to_have_value("1947")
    expect(page.get_by_role("radio", name="Female", exact=True)).to_be_checked()
    person.look("Who is the appointment for?")


def chosen_time(page: Page) -> str:
    row = page.locator(".nhsuk-summary-list__row", has=page.get_by_text("Time", exact=True)).first
    return row.locator("dd").first.inner_text().strip()


def change_the_answers(person: Person) -> str:
    """Another time with the patient kept, then another first name; gives the id of the slot chosen last."""
    page = person.page
    before = chosen_time(page)
    person.follow("Change the time")
    slot_id = person.choose_time(position=3)
    person.look("Check your answers before booking", patient=True)
    assert chosen_time(page) != before
    person.follow("Change the patient's details")
    expect(page.locator("#id_given_names")).to_have_value(GIVEN)
    page.locator("#id_title").fill("Dame")
    person.press("Continue")
    expect(page.locator(".app-patient")).to_contain_text("Dame")
    return slot_id


def test_find_book_and_see_it_on_both_sides(
    people: People, wire: Wire, portal: Stack, either_width: int
) -> None:
    person = people("", width=either_width)
    page = person.page
    person.go()
    person.look("Sign in")
    person.sign_in("clinician")
    find_service(person)
    person.follow("See available times")
    person.look(f"Choose a time at {SERVICE}")
    person.choose_time()
    person.look("Who is the appointment for?")
    leave_the_form_empty(person)
    page.locator("#id_phone").fill("07700 900777")
    person.press("Continue")
    person.look("Check your answers before booking", patient=True)
    slot_id = change_the_answers(person)
    person.press("Book the appointment")
    person.look("Appointment booked", patient=True)
    shown = re.search(r"Reference (\S+)", page.locator(".nhsuk-panel").inner_text())
    assert shown is not None
    person.press("I have told the patient")
    expect(page.locator("main")).to_contain_text("The patient was told on")
    person.look("Appointment booked", patient=True)
    page.go_back()
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Appointment booked")
    person.follow("Bookings", first=True)
    person.look("Bookings sent")
    expect(person.listed(shown[1])).to_contain_text(FAMILY.upper())
    see_it_in_the_diary(people("manager", width=either_width), wire, slot_id, shown[1])
    assert wire.booked_on(slot_id) == 1
    assert not [secret for secret in SECRETS if secret != "1947" and secret in portal.log]


def see_it_in_the_diary(manager: Person, wire: Wire, slot_id: str, reference: str) -> None:
    day = wire.rows(
        "SELECT (start AT TIME ZONE 'Europe/London')::date FROM bookings_slot WHERE id = %s", slot_id
    )
    manager.go()
    manager.look("Today")
    manager.go(f"/bookings/diary/?service=2000099002&on={day[0][0]}")
    manager.look(f"Diary of {SERVICE}")
    line = manager.page.locator("tr", has_text=reference)
    expect(line).to_contain_text("Booked")
    line.get_by_role("link").click()
    manager.look("Received booking", patient=True)
    expect(manager.page.locator("main")).to_contain_text(reference)


def test_the_results_follow_what_is_typed(people: People) -> None:
    clinician = people()
    clinician.go("/services/")
    name = clinician.page.get_by_label("Name of the service")
    name.press_sequentially("riverside pha", delay=30)
    expect(clinician.page.get_by_role("heading", name="1 service found")).to_be_visible()
    expect(name).to_be_focused()
    expect(clinician.page.get_by_role("link", name="Riverside Pharmacy")).to_be_visible()
