"""An ambulance control alerts a neighbour, then tells it more; the neighbour answers each time."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import AMBULANCE, Person
from tests.browser.requesting import (
    begin_request,
    check_and_send,
    give_consent,
    hears,
    open_task,
    reference,
    state_patient,
)
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
COMPLAINT, WHERE = "Chest pain", "Crown Point car park, level 2"
OUTCOME = "Emergency Ambulance Response (Category 3)"
VERSIONS = (
    "SELECT count(*) FROM referrals_caseversion version JOIN referrals_referral referral "
    "ON version.referral_id = referral.id WHERE direction = 'received' AND referral.reference = %s"
)


def first_alert(person: Person) -> str:
    """Hardly more than where and what. Gives their reference."""
    page = person.page
    begin_request(person, AMBULANCE, "Ambulance control: mutual aid")
    state_patient(person)
    open_task(person, "Assessment")
    page.get_by_role("radio", name="First alert").check()
    person.press("Continue")
    open_task(person, "Presenting complaint")
    page.get_by_label("Presenting complaint", exact=True).fill(COMPLAINT)
    person.press("Continue")
    open_task(person, "Where it is")
    page.get_by_label("What kind of place").select_option(label="Incident Location")
    page.get_by_label("How to find it").fill(WHERE)
    page.get_by_label("Easting in metres").fill("430500")
    page.get_by_label("Northing in metres").fill("432900")
    person.press("Continue")
    give_consent(person)
    check_and_send(person, COMPLAINT, WHERE, "First alert")
    person.look("Referral sent", patient=True)
    theirs = reference(person)
    person.follow("Go to the case")
    person.look("Referral: sent", patient=True)
    return theirs


def begin_update(person: Person) -> None:
    """From the page of the case: what was sent so far is there already."""
    person.follow("Send an update")
    person.look("Tell the service more about a case", patient=True)
    person.press("Start")


def end_update(person: Person, *stated: str) -> None:
    check_and_send(person, COMPLAINT, WHERE, *stated, button="Send the update")
    person.look("Update sent", patient=True)
    person.follow("Go to the case")


def tell_the_nature(person: Person) -> None:
    begin_update(person)
    open_task(person, "Ambulance questions")
    person.page.get_by_label("Nature of call").select_option(index=2)
    person.page.get_by_role("group", name="Is the patient breathing?").get_by_label("Yes").check()
    person.press("Continue")
    end_update(person, "Is the patient breathing?")


def tell_the_stage(person: Person, stage: str, priority: str, outcome: str) -> None:
    page = person.page
    begin_update(person)
    open_task(person, "Assessment")
    page.get_by_role("radio", name=stage, exact=True).check()
    page.get_by_label("Ambulance response priority").select_option(label=priority)
    page.get_by_label("Triage outcome", exact=True).fill(outcome)
    person.press("Continue")
    end_update(person, stage)


def answer(person: Person, how: str, words: str) -> None:
    person.follow("Tell how far you are")
    person.page.get_by_role("radio", name=how, exact=True).check()
    person.page.get_by_label("In your own words").fill(words)
    person.press("Continue")
    person.press("Tell the requester")
    expect(person.page.locator("main")).to_contain_text("The requester is told how far you are.")
    person.look("Referral received", patient=True)


def sees(person: Person, heading: str, *shown: str) -> None:
    hears(person)
    person.look(heading, patient=True)
    for text in shown:
        expect(person.page.locator("main")).to_contain_text(text)


def test_an_alert_three_updates_and_every_answer(people: People, wire: Wire) -> None:
    control, neighbour = people("clinician"), people("assessor")
    theirs = first_alert(control)
    neighbour.go("/referrals/worklist/?order=age")
    neighbour.listed(theirs).get_by_role("link").click()
    neighbour.look("Referral received", patient=True)
    expect(neighbour.page.locator("main")).to_contain_text(WHERE)

    tell_the_nature(control)
    neighbour.page.reload()
    neighbour.look("Referral", patient=True)
    answer(neighbour, "Accepted", "We have a car near by")
    sees(control, "Referral: accepted by the service", "We have a car near by", "Accepted")

    tell_the_stage(control, "Triaged", "C3: Cat3 Urgent", "Dx0122")
    neighbour.page.reload()
    expect(neighbour.page.locator("main")).to_contain_text("Category 3")
    answer(neighbour, "In progress", "The car is on its way")
    sees(control, "Referral: the service has started", "The car is on its way", "In progress")

    tell_the_stage(control, "Fully triaged", "C2: Cat2 Emergency", "Dx0122")
    neighbour.page.reload()
    expect(neighbour.page.locator("main")).to_contain_text("Category 2")
    expect(neighbour.page.locator("main")).to_contain_text(OUTCOME)
    answer(neighbour, "Finished", "Handed over at the hospital")
    sees(control, "Referral: completed by the service", "Handed over at the hospital", "Finished")
    assert wire.rows(VERSIONS, theirs) == [(4,)]
    control.follow("The whole journey")
    control.look("The whole journey", patient=True)
