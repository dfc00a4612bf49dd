"""A page of more than forty fields loses nothing: mistakes, the end of the session, the back button."""

import pytest
from playwright.sync_api import expect

from bars_portal.demo.facts import PASSWORD
from tests.browser.conftest import People
from tests.browser.person import AMBULANCE, FAMILY, STREET, Person
from tests.browser.requesting import begin_request
from tests.browser.test_session_and_errors import IDLE_END, session_of
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
_WHERE = {
    "name": "House of {family} {n}",
    "address": "{street} {n}\nBehind the mill",
    "town": "Leeds {n}",
    "postcode": "LS{n} 4AP",
    "directions": "Left, then \u201cright\u201d & <down> {n}",
    "uprn": "875562{n}",
    "what3words": "filled.count.soap",
    "eastings": "43050{n}",
    "northings": "43290{n}",
    "latitude": "53.799{n}",
    "longitude": "-1.5417{n}",
    "accuracy_percent": "8{n}",
    "confirmed": "09:0{n}",
}
KINDS = ("Incident Location", "Caller Location")


def open_places(person: Person) -> None:
    """The page with room for four places, as far as the list of tasks has it."""
    person.sign_in("clinician")
    begin_request(person, AMBULANCE, "Ambulance control: mutual aid")
    person.page.locator(".nhsuk-task-list").get_by_role("link", name="Where it is").click()
    for _ in range(3):
        person.press("Add another place")
    person.look("Where it is")


def typed(person: Person) -> dict[str, str]:
    """Every field that can be seen, by its id, with what stands in it."""
    read = """() => Object.fromEntries(
        [...document.querySelectorAll("main form :is(input:not([type=hidden]), select, textarea)")]
            .map(field => [field.id, field.value]))"""
    found: dict[str, str] = person.page.evaluate(read)
    return found


def type_all(person: Person) -> dict[str, str]:
    page = person.page
    for name, words in _WHERE.items():
        for n, field in enumerate(page.locator(f"main form [name$='-{name}']").all(), 1):
            field.fill(words.format(n=n, family=FAMILY, street=STREET))
    for n, field in enumerate(page.locator("main form [name$='-type']").all()):
        field.select_option(label=KINDS[min(n, 1)])
    fields = typed(person)
    assert len(fields) >= 40
    assert all(fields.values())
    return fields


def come_back(person: Person) -> None:
    page = person.page
    expect(page.locator("h1")).to_contain_text("Sign in")
    assert not any(FAMILY in str(cookie["value"]) for cookie in page.context.cookies())
    page.get_by_label("Username").fill("clinician")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Sign in")
    expect(page.locator("main")).to_contain_text("What you had typed is filled in again")
    person.look("Where it is")


@pytest.mark.parametrize(
    "javascript", [True, pytest.param(False, marks=pytest.mark.further)], ids=["script", "no script"]
)
def test_more_than_forty_fields_survive(people: People, wire: Wire, javascript: bool) -> None:
    person = people("", javascript=javascript, own_clock=True)
    page = person.page
    open_places(person)
    fields = type_all(person)
    wire.do("DELETE FROM django_session WHERE session_key = %s", session_of(person))
    person.press("Continue")
    come_back(person)
    assert typed(person) == fields

    latitude = page.locator("main form [name$='-latitude']").first
    latitude.fill("abc")
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Latitude in degrees must be a number")
    wrong = latitude.get_attribute("id")
    assert typed(person) == fields | {wrong: "abc"}
    latitude.fill(fields[str(wrong)])
    person.press("Continue")
    person.look("Write a request")
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Where it is")
    page.reload()
    assert typed(person) == fields


@pytest.mark.further
def test_a_page_that_signs_out_by_itself_hands_in_what_is_typed(people: People, wire: Wire) -> None:
    person = people("", own_clock=True)
    person.page.clock.install()
    open_places(person)
    fields = type_all(person)
    wire.do("DELETE FROM django_session WHERE session_key = %s", session_of(person))
    person.page.clock.fast_forward(IDLE_END)
    come_back(person)
    assert typed(person) == fields
