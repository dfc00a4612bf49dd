"""Cancel and rebook: the latest first, each step's outcome, and a loud word when the patient has nothing."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import ED, FAMILY, PHARMACY, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
REBOOK = "Cancel the old one and book the new one"


def test_cancel(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    page = person.page
    slot_id = person.book(ED)
    person.follow("Cancel this appointment")
    expect(page.locator("main")).to_contain_text("The service confirms this appointment as it is shown here")
    person.look("Cancel this appointment", patient=True)
    page.get_by_label("More about the reason").fill("They are away")
    person.press("Cancel the appointment")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    expect(page.get_by_label("More about the reason")).to_have_value("They are away")
    person.look("Cancel this appointment", patient=True)
    page.get_by_role("radio", name="The patient asked for it").check()
    person.press("Cancel the appointment")
    expect(page.get_by_role("heading", name="Tell the patient")).to_be_visible()
    expect(page.locator("main")).to_contain_text("The patient asked for it. They are away")
    person.look("Appointment cancelled", patient=True)
    assert wire.slot_status(slot_id) == "free"
    person.press("I have told the patient")
    expect(page.locator("main")).to_contain_text("The patient was told on")


@pytest.mark.further
def test_cancelled_by_the_service_meanwhile(people: People, wire: Wire) -> None:
    person = people()
    slot_id = person.book(ED)
    wire.cancel_at_the_service(slot_id)
    person.follow("Cancel this appointment")
    expect(person.page.locator("main")).to_contain_text("The service had already cancelled this appointment")
    person.look("Appointment cancelled", patient=True)


@pytest.mark.further
@pytest.mark.alone
def test_the_service_cannot_be_read_before_a_cancel(people: People, wire: Wire) -> None:
    person = people()
    slot_id = person.book(ED)
    wire.drill(ED, "503", method="GET")
    person.follow("Cancel this appointment")
    expect(person.page.locator("main")).to_contain_text("nothing was changed")
    expect(person.page.get_by_role("button", name="Cancel the appointment")).to_have_count(0)
    person.look("Cancel this appointment", patient=True)
    assert wire.booked_on(slot_id) == 1


def choose_new_time(person: Person) -> str:
    """Of a booked appointment, as far as the question; gives the new Slot's id."""
    person.follow("Rebook for another time")
    slot_id = person.choose_time(position=6)
    person.look("Rebook this appointment", patient=True)
    return slot_id


def test_rebook(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    page = person.page
    old = person.book(PHARMACY)
    new = choose_new_time(person)
    person.press(REBOOK)
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    page.get_by_role("radio", name="The patient asked for it").check()
    page.get_by_role("radio", name="The patient did not call back about their health").check()
    person.press(REBOOK)
    expect(page.locator("main")).to_contain_text("The old appointment is cancelled. The new one is booked")
    expect(page.locator("main")).to_contain_text("This replaces an earlier appointment")
    expect(page.get_by_role("heading", name="Tell the patient both")).to_be_visible()
    person.look("Appointment booked", patient=True)
    person.follow("an earlier appointment")
    expect(page.locator("main")).to_contain_text("there is one task for both appointments")
    person.look("Appointment cancelled", patient=True)
    page.go_back()
    person.press("I have told the patient")
    expect(page.locator("main")).to_contain_text("The patient was told on")
    assert (wire.slot_status(old), wire.booked_on(new)) == ("free", 1)


@pytest.mark.further
def test_a_rebooking_that_is_half_done_is_loud_and_can_be_finished(
    people: People, wire: Wire, width: int
) -> None:
    person = people(width=width)
    page = person.page
    old = person.book(PHARMACY)
    new = choose_new_time(person)
    wire.take(new)
    page.get_by_role("radio", name="The patient asked for it").check()
    page.get_by_role("radio", name="The patient did not call back about their health").check()
    person.press(REBOOK)
    alarm = page.locator(".nhsuk-card--warning", has_text="the patient has no appointment")
    expect(alarm).to_be_visible()
    assert wire.slot_status(old) == "free"
    expect(page.locator("main")).to_contain_text("What you typed about the patient is kept")
    person.look("Not booked", patient=True)
    person.follow("an earlier appointment")
    expect(alarm).to_be_visible()
    person.look("Appointment cancelled", patient=True)
    booked_page = page.url
    person.follow("Go to the new appointment")
    last = person.choose_time(day=0)
    expect(page.locator(".app-patient")).to_contain_text(FAMILY.upper())
    person.press("Book the appointment")
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(last) == 1
    page.goto(booked_page)
    expect(alarm).to_have_count(0)
    expect(page.locator("main")).to_contain_text("The old appointment is cancelled. The new one is booked")
