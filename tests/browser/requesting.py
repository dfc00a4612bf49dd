"""Writing a request on its pages, from the list of tasks to what became of it."""

import re
import time

from playwright.sync_api import expect

from tests.browser.chromium import PATIENCE_MILLISECONDS
from tests.browser.person import Person

WAITING = "Still confirming"


def begin_request(person: Person, service: str, kind: str) -> None:
    """From the page of the service to the list of tasks."""
    person.go(f"/services/{service}/")
    person.follow("Refer a patient or ask for a validation")
    person.page.get_by_role("radio", name=kind).check()
    person.press("Start")
    person.look("Write a request")


def state_patient(person: Person) -> None:
    person.follow("Patient and call-back")
    person.type_patient()
    person.press("Continue")


def check_and_send(person: Person, *stated: str, button: str = "Send") -> None:
    """`stated` is read before it is sent."""
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    for text in stated:
        expect(person.page.locator("main")).to_contain_text(text)
    person.press(button)
    until_it_is_known(person)


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


def see_the_scene(person: Person, answer: str, words: str = "") -> None:
    open_task(person, "Warnings")
    person.page.get_by_role("radio", name=answer).check()
    person.page.get_by_label("What to know about the scene").fill(words)
    person.press("Continue")
    see_status(person, "Warnings", "Completed")


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


def hears(person: Person) -> None:
    """By itself, after some seconds: the page of a sent case asks for news."""
    expect(person.page.locator("#app-news")).to_contain_text("Something came back")
    person.follow("Refresh this page")


def reads_again(person: Person, heading: str) -> None:
    """By reloading, until what came back is there."""
    title = person.page.locator("h1")
    deadline = time.monotonic() + PATIENCE_MILLISECONDS / 1000
    while heading not in title.inner_text() and time.monotonic() < deadline:
        person.page.reload()
    expect(title).to_contain_text(heading)
