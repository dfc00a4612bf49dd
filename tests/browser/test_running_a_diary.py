"""A manager plans a month of clinics for three clinicians and runs it: by keys, by dragging and by forms."""

import re
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from bars_portal.exchange.fhir.timestamps import LONDON
from bars_portal.nhsuk.dates import format_day
from directory.hours import bank_holiday
from tests.browser.axe import assert_accessible
from tests.browser.chromium import DESKTOP, until_drawn
from tests.browser.conftest import People
from tests.browser.person import UTC_SERVICE, Person
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
CLINICIANS = (("Dr", "Okafor"), ("Dr", "Lindqvist"), ("Nurse", "Moreau"))
MONTH_DAYS, SLOT_MINUTES = 28, 30
# 09:00 to 17:00 with half an hour in between; the afternoon off ends before it.
SLOTS_A_DAY, SLOTS_WITHOUT_AFTERNOON = 15, 7
# What the work may take, and the most that a person needs for each of its pages.
MOST_SECONDS, SECONDS_A_PAGE = 300, 10
_REFERENCE = re.compile(r"\b[A-Z]{3}-[A-Z0-9]{4}-[A-Z0-9]{2}\b")


def month_with_two_bank_holidays(today: date) -> list[date]:
    """The first 28 days, from tomorrow on, in which two working days are bank holidays."""
    for ahead in range(1, 330):
        days = [today + timedelta(days=ahead + number) for number in range(MONTH_DAYS)]
        if sum(1 for each in days if each.weekday() < 5 and bank_holiday(each)) == 2:
            return days
    raise AssertionError("England has two bank holidays within four weeks each year")


def fill_day(manager: Person, name: str, day: date) -> None:
    for part in ("day", "month", "year"):
        manager.page.locator(f"[id=id_{name}-{part}]").fill(str(getattr(day, part)))


def plan_the_first(manager: Person, month: list[date], afternoon_off: date) -> None:
    """What is wrong is said, then looked at, then made."""
    page = manager.page
    manager.follow("Clinics", first=True)
    manager.look("Clinics")
    manager.follow("Make a clinic")
    manager.look("Make a clinic")
    page.get_by_label("Service").select_option(UTC_SERVICE)
    fill_day(manager, "first_day", month[0])
    fill_day(manager, "last_day", month[-1])
    page.locator("#id_session_1_start").fill("17:00")
    page.locator("#id_session_1_end").fill("09:00")
    page.get_by_text("Breaks, every day").click()
    page.locator("#id_break_1_start").fill("12:30")
    page.locator("#id_break_1_end").fill("13:00")
    page.get_by_text("Dates that are closed or have other hours").click()
    fill_day(manager, "date_1_day", afternoon_off)
    page.locator("#id_date_1_start").fill("09:00")
    page.locator("#id_date_1_end").fill("12:30")
    page.locator("#id_slot_minutes").fill(str(SLOT_MINUTES))
    page.locator("#id_horizon_days").fill("366")
    name_clinician(manager, *CLINICIANS[0])
    manager.press("See what changes")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    manager.look("Make a clinic")
    manager.follow("Last slot ends by must be after its start")
    expect(page.locator("#id_session_1_end")).to_be_focused()
    page.locator("#id_session_1_start").fill("09:00")
    page.locator("#id_session_1_end").fill("17:00")
    check_and_apply(manager, CLINICIANS[0][1], month)


def name_clinician(manager: Person, title: str, family: str) -> None:
    manager.page.locator("#id_name").fill(f"{title} {family}")
    manager.page.locator("#id_practitioner_prefix").fill(title)
    manager.page.locator("#id_practitioner_family").fill(family)


def check_and_apply(manager: Person, family: str, month: list[date]) -> None:
    """The preview says how many slots, which holidays are left out, and when the break is."""
    page = manager.page
    manager.press("See what changes")
    working = [each for each in month if each.weekday() < 5]
    holidays = [each for each in working if bank_holiday(each)]
    slots = SLOTS_A_DAY * (len(working) - len(holidays) - 1) + SLOTS_WITHOUT_AFTERNOON
    manager.look(f"Check {next(title for title, each in CLINICIANS if each == family)} {family}")
    row = page.locator(".nhsuk-summary-list__row", has_text="Slots that are made")
    expect(row.locator("dd")).to_have_text(str(slots))
    expect(page.locator("main")).to_contain_text(f"Closed: {', '.join(map(format_day, holidays))}")
    expect(page.locator("main")).to_contain_text("Nothing is written yet")
    manager.press("Apply")
    manager.look(family)
    expect(page.locator("main")).to_contain_text(f"{slots} slots made")


def plan_the_others(manager: Person, month: list[date]) -> None:
    for title, family in CLINICIANS[1:]:
        manager.follow("Copy")
        manager.look("Make a clinic")
        name_clinician(manager, title, family)
        check_and_apply(manager, family, month)


def day_of(manager: Person, day: date) -> None:
    manager.go(f"/bookings/diary/?service={UTC_SERVICE}&on={day.isoformat()}")
    manager.look("Diary of")


def drag_to_a_free_time(manager: Person, reference: str) -> None:
    """Let go of outside the table nothing happens; on a free time the page asks first."""
    page = manager.page
    # The whole day: where others have booked before, a free time may be far from this one.
    window = page.viewport_size
    assert window
    page.set_viewport_size({"width": DESKTOP, "height": 4000})
    held = page.locator("[data-app-move]", has_text=reference)
    drag(manager, held, page.locator("h1"))
    expect(page.locator("h1")).to_contain_text("Diary of")
    free = page.locator("td[data-app-target]").nth(1)
    wanted = free.get_attribute("data-app-from")
    drag(manager, held, free)
    manager.look("Move this appointment", patient=True)
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)
    ticked = page.locator(".nhsuk-radios__item", has=page.locator("input:checked"))
    expect(ticked).to_contain_text(f"{wanted} to")
    page.set_viewport_size(window)
    say_why(manager)


def drag(manager: Person, what: Locator, where: Locator) -> None:
    mouse = manager.page.mouse
    what.scroll_into_view_if_needed()
    until_drawn(manager.page)
    mouse.move(*middle_of(what))
    mouse.down()
    mouse.move(*middle_of(where), steps=5)
    mouse.up()


def middle_of(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def say_why(manager: Person) -> None:
    page = manager.page
    page.get_by_label("Reason").fill("The clinician is away")
    manager.press("Move the appointment")
    expect(page.locator("main")).to_contain_text("The sender has not been told")
    manager.look("Received booking", patient=True)


def block_the_afternoon(manager: Person, day: date, references: list[str]) -> None:
    """By keys: who is booked in it is seen first."""
    page = manager.page
    day_of(manager, day)
    cells = page.locator("[data-app-diary] td")
    column = page.locator("[data-app-diary] thead th").all_inner_texts().index("Main diary")
    row = page.locator("[data-app-diary] tbody tr", has=page.locator("th:text-is('13:00')"))
    row.locator("td").nth(column - 1).focus()
    rows = page.locator("[data-app-diary] tbody tr").count()
    for _ in range(rows):
        page.keyboard.press("Shift+ArrowDown")
    chosen = page.locator("td[aria-selected=true]").count()
    assert 0 < chosen < cells.count()
    assert_accessible(page)
    page.keyboard.press("Enter")
    manager.look("Block or free times")
    expect(page.locator("#id_from_time")).to_have_value("13:00")
    page.get_by_label("Reason").fill("Training")
    manager.press("Continue")
    main = page.locator("main")
    expect(main).to_contain_text("2 patients are booked in this time")
    for reference in references:
        expect(main).to_contain_text(reference)
    manager.look("Block these times?")
    manager.press("Block these times")
    expect(main).to_contain_text("slots are blocked")
    manager.look("Diary of")


def move_by_form(manager: Person, reference: str, month: list[date]) -> None:
    """Into the new clinic of another clinician."""
    page = manager.page
    page.locator("td", has_text=reference).get_by_role("link").click()
    manager.look("Received booking", patient=True)
    manager.follow("Move")
    manager.look("Move this appointment", patient=True)
    weekday = next(each for each in month[1:] if each.weekday() < 5 and not bank_holiday(each))
    fill_day(manager, "day", weekday)
    manager.press("Show this day")
    title, family = CLINICIANS[1]
    page.get_by_role("radio", name=f"09:30 to 10:00, {title} {family}").check()
    say_why(manager)


def cancel(manager: Person, reference: str) -> None:
    page = manager.page
    page.locator("td", has_text=reference).get_by_role("link").click()
    manager.look("Received booking", patient=True)
    manager.follow("Cancel the appointment")
    manager.look("Cancel this appointment", patient=True)
    page.get_by_label("Why does the service cancel?").fill("The clinic is closed that afternoon")
    manager.press("Cancel the appointment")
    expect(page.locator("main")).to_contain_text("The sender has not been told")
    manager.look("Received booking", patient=True)


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
    """The pages that this month did not need."""
    name = " ".join(CLINICIANS[2])
    pages = {
        f"{clinic}change/": f"Change {name}",
        f"{clinic}undo/": "Undo the last change",
        f"{clinic}switch/": f"Switch off {name}",
        f"/bookings/diary/list/?service={UTC_SERVICE}&view=week": "Clinic list",
        f"/bookings/diary/?service={UTC_SERVICE}&view=week": "Diary of",
        f"/bookings/diary/add/?service={UTC_SERVICE}": "Add slots",
        "/bookings/diary/feeds/": "Calendar feeds",
        booking: "Received booking",
    }
    for address, heading in pages.items():
        manager.go(address)
        manager.look(heading, patient=address == booking)


def booked(clinician: Person, wire: Wire, *, day: int, position: int) -> tuple[str, datetime]:
    """Our reference and the start."""
    clinician.open_times(UTC_SERVICE)
    slot_id = clinician.choose_time(day=day, position=position)
    clinician.type_patient()
    clinician.press("Continue")
    clinician.press("Book the appointment")
    expect(clinician.page.locator("h1")).to_contain_text("Appointment booked")
    (reference,) = set(_REFERENCE.findall(clinician.page.locator("main").inner_text()))
    start = wire.rows("SELECT start FROM bookings_slot WHERE id = %s", slot_id)[0][0]
    return reference, start.astimezone(LONDON)


def three_bookings(clinician: Person, wire: Wire) -> Iterator[tuple[str, datetime]]:
    """One of tomorrow, two on the last afternoon that is offered."""
    yield booked(clinician, wire, day=1, position=0)
    for _ in range(2):
        yield booked(clinician, wire, day=-1, position=-1)


@pytest.mark.further
def test_a_manager_runs_a_month_within_five_minutes(portal: Stack, wire: Wire, people: People) -> None:
    clinician, manager = people("clinician"), people("manager", width=DESKTOP)
    (early, tomorrow), (first, afternoon), (second, also) = three_bookings(clinician, wire)
    assert afternoon.date() == also.date()
    month = month_with_two_bank_holidays(datetime.now(LONDON).date())
    off = next(each for each in month[5:] if each.weekday() < 5 and not bank_holiday(each))
    manager.go("/bookings/diary/")
    began, pages = time.monotonic(), manager.pages
    plan_the_first(manager, month, off)
    plan_the_others(manager, month)
    clinic = manager.page.url.removeprefix(portal.portal)
    day_of(manager, tomorrow.date())
    drag_to_a_free_time(manager, early)
    block_the_afternoon(manager, afternoon.date(), [first, second])
    move_by_form(manager, first, month)
    day_of(manager, afternoon.date())
    cancel(manager, second)
    for reference in (early, first, second):
        make_the_call(manager, reference)
    assert time.monotonic() - began < MOST_SECONDS
    assert (manager.pages - pages) * SECONDS_A_PAGE <= MOST_SECONDS
    assert not [each for each in manager.addresses if "/admin/" in each]
    day_of(manager, afternoon.date())
    manager.page.get_by_role("button", name=re.compile("^Free")).first.click()
    expect(manager.page.locator("main")).to_contain_text("offered again")
    received = "SELECT id FROM bookings_booking WHERE reference = %s AND direction = 'received'"
    look_around(manager, f"/bookings/diary/{wire.rows(received, early)[0][0]}/", clinic)
