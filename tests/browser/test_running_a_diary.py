"""A manager plans a month of clinics and checks it, moves a booking, blocks an evening, makes the call."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from bars_portal.exchange.fhir.timestamps import LONDON
from directory.hours import bank_holiday
from tests.browser.conftest import People
from tests.browser.person import FAMILY, UTC_SERVICE, Person
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
CLINIC = "Minor injuries"


def plan_a_month(manager: Person) -> None:
    """Three clinicians at once, with a break: what is wrong is said, then looked at, then made."""
    page = manager.page
    manager.go()
    manager.follow("Clinics", first=True)
    manager.look("Clinics")
    manager.follow("Make a clinic")
    manager.look("Make a clinic")
    page.get_by_label("Service").select_option(UTC_SERVICE)
    page.locator("#id_name").fill(CLINIC)
    page.locator("#id_session_1_start").fill("20:00")
    page.locator("#id_session_1_end").fill("19:00")
    page.locator("#id_lanes").fill("3")
    manager.press("See what changes")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    manager.look("Make a clinic")
    manager.follow("Last slot ends by must be after its start")
    expect(page.locator("#id_session_1_end")).to_be_focused()
    page.locator("#id_session_1_end").fill("24:00")
    page.get_by_text("Breaks, every day").click()
    page.locator("#id_break_1_start").fill("21:30")
    page.locator("#id_break_1_end").fill("22:00")
    manager.press("See what changes")
    expect(page.locator("main")).to_contain_text("Each lane: 20:00 to 21:30")
    manager.look(f"Check {CLINIC}")
    manager.press("Apply")
    manager.look(CLINIC)
    expect(page.locator("main")).to_contain_text("Slots are made up to")


def move(manager: Person, reference: str, day: date) -> None:
    """From the diary of the service into the new clinic, on a Monday that is no bank holiday."""
    page = manager.page
    manager.go(f"/bookings/diary/?service={UTC_SERVICE}&on={day.isoformat()}")
    manager.look("Diary of")
    page.locator("td", has_text=reference).get_by_role("link").click()
    manager.look("Received booking", patient=True)
    manager.follow("Move")
    manager.look("Move this appointment", patient=True)
    coming = [day + timedelta(days=number) for number in range(1, 20)]
    weekday = next(each for each in coming if each.weekday() == 0 and not bank_holiday(each))
    for part in ("day", "month", "year"):
        page.locator(f"[id=id_day-{part}]").fill(str(getattr(weekday, part)))
    manager.press("Show this day")
    page.get_by_role("radio", name=f"20:15 to 20:30, {CLINIC}, lane 2").check()
    page.get_by_label("Reason").fill("The clinician is away")
    manager.press("Move the appointment")
    expect(page.locator("main")).to_contain_text("The sender has not been told")
    manager.look("Received booking", patient=True)
    block(manager, weekday.isoformat(), reference)


def block(manager: Person, day: str, reference: str) -> None:
    """An evening of two lanes: who is booked in it is seen first."""
    page = manager.page
    manager.go(f"/bookings/diary/block/?service={UTC_SERVICE}&on={day}")
    for lane in (1, 2):
        page.get_by_label(f"{CLINIC}, lane {lane}").check()
    page.locator("#id_from_time").fill("20:00")
    page.locator("#id_to_time").fill("24:00")
    manager.press("Continue")
    expect(page.locator("main")).to_contain_text("1 patient is booked in this time")
    expect(page.locator("main")).to_contain_text(reference)
    manager.look("Block these times?")
    manager.press("Block these times")
    expect(page.locator("main")).to_contain_text("27 slots are blocked")
    manager.look("Diary of")


def make_the_call(manager: Person, reference: str) -> None:
    page = manager.page
    manager.go("/bookings/diary/calls/")
    manager.look("Calls to make")
    manager.listed(reference).get_by_role("link").click()
    page.get_by_label("Who did you speak to?").fill("Jo at the desk")
    manager.press("I have phoned them")
    expect(page.locator("main")).to_contain_text("Told Jo at the desk by phone")
    manager.look("Received booking", patient=True)
    expect(page.locator("main")).not_to_contain_text("The sender has not been told")


def look_around(manager: Person, booking: str, clinic: str) -> None:
    """The pages that this week did not need."""
    pages = {
        f"{booking}cancel/": "Cancel this appointment",
        f"{clinic}change/": f"Change {CLINIC}",
        f"{clinic}undo/": "Undo the last change",
        f"{clinic}switch/": f"Switch off {CLINIC}",
        f"/bookings/diary/list/?service={UTC_SERVICE}&view=week": "Clinic list",
        f"/bookings/diary/?service={UTC_SERVICE}&view=week": "Diary of",
        f"/bookings/diary/add/?service={UTC_SERVICE}": "Add slots",
        "/bookings/diary/feeds/": "Calendar feeds",
    }
    for address, heading in pages.items():
        manager.go(address)
        manager.look(heading, patient=address.endswith("cancel/"))


@pytest.mark.further
def test_a_manager_runs_a_diary(portal: Stack, wire: Wire, people: People) -> None:
    clinician, manager = people("clinician"), people("manager")
    slot_id = clinician.book(UTC_SERVICE)
    start = wire.rows("SELECT start FROM bookings_slot WHERE id = %s", slot_id)[0][0]
    shown = clinician.page.locator("main").inner_text()
    reference = re.findall(r"\b[A-Z]{3}-[A-Z0-9]{4}-[A-Z0-9]{2}\b", shown)[0]
    assert FAMILY not in reference
    plan_a_month(manager)
    clinic = manager.page.url.removeprefix(portal.portal)
    move(manager, reference, start.astimezone(LONDON).date())
    make_the_call(manager, reference)
    look_around(manager, manager.page.url.removeprefix(portal.portal), clinic)
