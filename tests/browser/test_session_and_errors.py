"""The end of a session, error pages, and what each role sees."""

import re

import pytest
from playwright.sync_api import expect

from bars_portal.demo.facts import PASSWORD
from bars_portal.settings.base import SESSION_COOKIE_NAME
from tests.browser.axe import assert_accessible
from tests.browser.conftest import People
from tests.browser.person import FAMILY, HUB, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
IDLE_WARNING, IDLE_END = "13:30", "16:00"
# Who sees which entries of the navigation, and one page that is not theirs.
ROLES = [
    ("clinician", ["Find a service", "Bookings", "Worklist", "Referrals", "Diary"], "/admin/"),
    ("clerk", ["Find a service", "Bookings", "Worklist", "Referrals", "Diary"], "/admin/"),
    ("manager", ["Find a service", "Worklist", "Diary", "Reports", "Admin"], "/bookings/"),
    ("engineer", ["Reports", "Admin"], "/bookings/diary/"),
    ("auditor", ["Bookings", "Worklist", "Referrals", "Diary", "Reports", "Admin"], "/services/"),
]


def begin_to_type(person: Person) -> None:
    person.page.clock.install()
    person.open_times(HUB)
    person.choose_time()
    person.page.locator("#id_family_name").fill(FAMILY)


def session_of(person: Person) -> str:
    """The key of their session, as the database knows it."""
    (key,) = [each["value"] for each in person.page.context.cookies() if each["name"] == SESSION_COOKIE_NAME]
    return key


def test_the_warning_before_the_end_keeps_the_page(people: People, width: int) -> None:
    person = people(width=width, own_clock=True)
    page, dialog = person.page, person.page.get_by_role("alertdialog")
    begin_to_type(person)
    expect(dialog).to_be_hidden()
    page.clock.fast_forward(IDLE_WARNING)
    expect(dialog).to_be_visible()
    assert_accessible(page)
    dialog.get_by_role("button", name="Stay signed in").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#id_family_name")).to_have_value(FAMILY)


@pytest.mark.further
def test_the_same_person_comes_back_to_the_page(people: People, wire: Wire) -> None:
    person = people("", own_clock=True)
    page = person.page
    person.sign_in("clinician")
    begin_to_type(person)
    person.type_patient(without="phone")
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter a call-back phone number")
    address = page.url
    wire.do("DELETE FROM django_session WHERE session_key = %s", session_of(person))
    page.clock.fast_forward(IDLE_END)
    expect(page.locator("h1")).to_contain_text("Sign in")
    person.look("Sign in")
    page.get_by_label("Username").fill("clinician")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Sign in")
    expect(page).to_have_url(address)
    expect(page.locator("#id_family_name")).to_have_value(FAMILY)


def test_signing_out_ends_it(people: People) -> None:
    person = people("")
    person.sign_in("clinician")
    person.press("Sign out")
    person.look("Sign in")
    person.go("/bookings/")
    expect(person.page.locator("h1")).to_contain_text("Sign in")


def test_a_wrong_password_is_told(people: People) -> None:
    person = people("")
    person.go()
    person.page.get_by_label("Username").fill("nobody")
    person.page.get_by_label("Password", exact=True).fill("wrong")
    person.press("Sign in")
    expect(person.page.locator(".nhsuk-error-summary")).to_contain_text("username or password is not right")
    person.look("Sign in")


@pytest.mark.alone
def test_error_pages_are_of_the_house_and_give_a_reference(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    person.go("/nowhere/")
    expect(person.page.locator(".app-reference")).to_have_text(re.compile("^[0-9a-f]{8}$"))
    person.look("Page not found")
    person.go("/bookings/drafts/00000000-0000-4000-8000-000000000000/check/")
    person.look("Page not found")
    person.open_times(HUB)
    person.page.context.clear_cookies(name="csrftoken")
    person.choose_time()
    person.look("This page was open for too long")
    wire.do("ALTER TABLE directory_postcode RENAME TO directory_postcode_away")
    try:
        person.go("/services/?postcode=LS1")
    finally:
        wire.do("ALTER TABLE directory_postcode_away RENAME TO directory_postcode")
    expect(person.page.locator(".app-reference")).to_have_count(1)
    person.look("Sorry, there is a problem with the portal")


@pytest.mark.parametrize(("role", "entries", "forbidden"), ROLES, ids=[role for role, _, _ in ROLES])
def test_each_role_sees_what_it_may(people: People, role: str, entries: list[str], forbidden: str) -> None:
    person = people(role)
    person.go()
    links = person.page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(links).to_have_text(["Today", *entries])
    person.look("Today")
    person.go(forbidden)
    expect(person.page.locator("text=access to this page")).to_have_count(1)
    if not forbidden.startswith("/admin"):
        person.look("You do not have access to this page")


@pytest.mark.further
def test_an_auditor_reads_and_changes_nothing(people: People) -> None:
    clinician = people()
    clinician.book(HUB)
    auditor = people("auditor")
    auditor.page.goto(clinician.page.url)
    auditor.look("Appointment booked", patient=True)
    main = auditor.page.locator("main")
    expect(main.locator("form")).to_have_count(0)
    for offer in ("Cancel this appointment", "Rebook for another time"):
        expect(main.get_by_text(offer)).to_have_count(0)


@pytest.mark.further
def test_the_page_to_change_a_password(people: People, width: int) -> None:
    """Nothing is changed: everybody of the demo signs in with the one that they have."""
    person = people("clerk", width=width)
    person.go("/")
    person.follow("Change your password")
    person.look("Change your password")
    person.press("Change password")
    person.look("Change your password")
    expect(person.page.locator("main")).to_contain_text("Enter new password")
