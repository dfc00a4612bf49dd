"""Signing in and out with NHS CIS2, as a person sees it; the issuer is the simulator's."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import People
from tests.browser.person import Person

pytestmark = pytest.mark.browser
ROLE = "Chris Linnell: Clinical Practitioner Access Role at"


def to_the_issuer(person: Person) -> None:
    person.go("/accounts/sign-in/")
    person.follow("Sign in with NHS CIS2")
    expect(person.page.locator("h1")).to_contain_text("mock NHS CIS2")


def test_in_and_out(people: People, width: int) -> None:
    person = people("", width=width)
    page = person.page
    person.go("/accounts/sign-in/?next=/bookings/")
    person.look("Sign in")
    person.follow("Sign in with NHS CIS2")
    assert_accessible(page)
    person.press(f"{ROLE} Y00111")
    person.look("Bookings sent")
    person.press("Sign out")
    person.look("Sign in")
    person.go("/bookings/")
    expect(page.locator("h1")).to_contain_text("Sign in")


@pytest.mark.further
def test_who_is_not_let_in_reads_why(people: People, width: int) -> None:
    person = people("", width=width)
    to_the_issuer(person)
    person.press("Sam Stranger: Clinical Practitioner Access Role at Y00111")
    person.look("You are not signed in")
    expect(person.page.locator("main")).to_contain_text("you have no account here yet")
    to_the_issuer(person)
    person.press(f"{ROLE} Z9999")
    person.look("You are not signed in")
    expect(person.page.locator("main")).to_contain_text("an organisation that you do not act for")
