"""Sending a referral and a request for validation, through the pages and over the real wire."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import CAS, ED, FAMILY, PHONE_NUMBER, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
CONCERN = "Safeguarding Concern: Child is cause for safeguarding concern"
WAITING = "Still confirming"


def open_task(person: Person, title: str, heading: str = "") -> None:
    person.page.locator(".nhsuk-task-list").get_by_role("link", name=title, exact=True).click()
    person.look(heading or title, patient=True)


def see_status(person: Person, title: str, status: str) -> None:
    task = person.page.locator(
        ".nhsuk-task-list__item", has=person.page.get_by_role("link", name=title, exact=True)
    )
    expect(task).to_contain_text(status)


def assess(person: Person, *, priority: str = "") -> None:
    """Also a list without JavaScript: a row added, and one taken away again."""
    page = person.page
    open_task(person, "Assessment")
    page.get_by_label("Clinical narrative").fill("Chest pain since this morning")
    if priority:
        page.get_by_label("Ambulance response priority").select_option(label=priority)
    page.get_by_label("Triage outcome", exact=True).fill("Dx0122")
    person.press("Add another triage outcome")
    expect(page.get_by_label("Triage outcome", exact=True)).to_have_count(2)
    expect(page.get_by_label("Clinical narrative")).to_have_value("Chest pain since this morning")
    person.look("Assessment", patient=True)
    person.press("Remove triage outcome 2")
    expect(page.get_by_label("Triage outcome", exact=True)).to_have_value("Dx0122")
    person.press("Continue")
    see_status(person, "Assessment", "Completed")


def give_consent(person: Person) -> None:
    open_task(person, "Consent")
    person.press("Continue")
    expect(person.page.locator(".nhsuk-error-summary")).to_contain_text("Select on what ground")
    person.look("Consent", patient=True)
    person.page.get_by_role("radio", name="The patient agreed to it").check()
    person.press("Continue")


def until_it_is_known(person: Person) -> None:
    heading = person.page.locator("h1")
    expect(heading).to_contain_text(re.compile(f"{WAITING}|sent"))
    while not person.javascript and heading.inner_text().strip() == WAITING:
        person.page.wait_for_timeout(500)
        with person.page.expect_navigation():
            person.follow("Check now")


def reference(person: Person) -> str:
    shown = re.search(r"Reference (\S+)", person.page.locator(".nhsuk-panel").inner_text())
    assert shown is not None
    return shown[1]


def test_refer_from_a_booking_with_a_safeguarding_flag(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    page = person.page
    person.book(ED)
    person.follow("Refer this patient")
    person.look("Refer a patient", patient=True)
    page.get_by_role("radio", name="Emergency department, sent by NHS 111", exact=True).check()
    person.press("Start")
    person.look("Write a request", patient=True)
    see_status(person, "Patient and call-back", "Completed")
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Assessment: answer this step")
    page.go_back()
    assess(person)
    open_task(person, "Warnings")
    page.get_by_label("Kind of warning", exact=True).select_option(label=CONCERN)
    page.get_by_label("More about it").fill("Two small children at home")
    person.press("Continue")
    open_task(person, "Allergies")
    page.get_by_role("radio", name="none is known").check()
    person.press("Continue")
    open_task(person, "Observations")
    person.press("Continue")
    give_consent(person)
    person.look("Write a request", patient=True)
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    stated = (CONCERN, "Two small children at home", "Chest pain since this morning", "Response (Category 3)")
    for text in stated:
        expect(page.locator("main")).to_contain_text(text)
    person.press("Send")
    until_it_is_known(person)
    person.look("Referral sent", patient=True)
    received = wire.rows(
        "SELECT safeguarding, booking_ids <> '{}' FROM referrals_referral "
        "WHERE direction = 'received' AND reference = %s",
        reference(person),
    )
    assert received == [(True, True)]
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Referral sent")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_ask_for_the_validation_of_a_category_3_call(people: People, wire: Wire, javascript: bool) -> None:
    person = people(javascript=javascript)
    page = person.page
    person.go(f"/services/{CAS}/")
    person.follow("Refer a patient or ask for a validation")
    page.get_by_role("radio", name="Clinical validation of a 999 call").check()
    person.press("Start")
    person.look("Write a request")
    person.follow("Patient and call-back")
    person.type_patient(without="phone")
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter a call-back phone number")
    expect(page.locator("#id_family_name")).to_have_value(FAMILY)
    page.locator("#id_phone").fill(PHONE_NUMBER)
    person.press("Continue")
    assess(person, priority="C3: Cat3 Urgent")
    open_task(person, "Time frame")
    for part, value in (("day", "31"), ("month", "12"), ("year", "2098")):
        page.locator(f"[id=id_end-{part}]").fill(value)
    page.locator("#id_end_time").fill("25:00")
    person.press("Continue")
    person.look("Time frame", patient=True)
    expect(page.locator("#id_end_time")).to_have_value("25:00")
    page.locator("#id_end_time").fill("14:30")
    person.press("Continue")
    open_task(person, "Where it is")
    page.get_by_label("Address", exact=True).fill("20 The Headrow\nLeeds")
    page.get_by_label("what3words").fill("filled.count.soap")
    person.press("Continue")
    give_consent(person)
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    person.press("Send")
    until_it_is_known(person)
    person.look("Request for validation sent", patient=True)
    expect(page.locator("main")).to_contain_text("Wednesday 31 December 2098 at 14:30")
    received = wire.rows(
        "SELECT priority, breach_at IS NOT NULL FROM referrals_validationcase "
        "WHERE direction = 'received' AND reference = %s",
        reference(person),
    )
    assert received == [("C3", True)]


def test_a_clerk_reads_why_not(people: People) -> None:
    person = people("clerk")
    person.go(f"/services/{ED}/")
    expect(person.page.locator("main")).to_contain_text("Only clinicians may refer patients")
    person.go(f"/referrals/requests/new/?service={ED}")
    person.look("No request can be sent")
    expect(person.page.locator("main")).to_contain_text("Only clinicians may refer patients")
