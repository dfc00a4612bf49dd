"""An ambulance control alerts a neighbour, then tells it more; the neighbour answers each time."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import AMBULANCE, Person, counted
from tests.browser.requesting import (
    begin_request,
    check_and_send,
    give_consent,
    open_task,
    reads_again,
    reference,
    see_the_scene,
    state_patient,
)
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
COMPLAINT, WHERE = "Chest pain", "Crown Point car park, level 2"
HELP, DANGER = "Please send one vehicle", "Traffic on the ramp"
OUTCOME = "Emergency Ambulance Response (Category 3)"
VERSIONS = (
    "SELECT count(*) FROM referrals_caseversion version JOIN referrals_referral referral "
    "ON version.referral_id = referral.id WHERE direction = 'received' AND referral.reference = %s"
)


class Triage(NamedTuple):
    stage: str
    priority: str
    category: str


class Answer(NamedTuple):
    how: str
    words: str
    heading: str


TRIAGES = (
    (
        Triage("The call has ended", "C3: Cat3 Urgent", "Category 3"),
        Answer("A resource is allocated", "The car is on its way", "Referral: the service has started"),
    ),
    (
        Triage("The case is closed here", "C2: Cat2 Emergency", "Category 2"),
        Answer(
            "The resource has cleared the scene",
            "Handed over at the hospital",
            "Referral: completed by the service",
        ),
    ),
)


@counted
def first_alert(person: Person) -> str:
    """Hardly more than where and what. Gives their reference."""
    page = person.page
    begin_request(person, AMBULANCE, "Ambulance control: mutual aid")
    state_patient(person)
    open_task(person, "Assessment")
    page.get_by_role("radio", name="The call is still running").check()
    person.press("Continue")
    open_task(person, "Presenting complaint")
    page.get_by_label("Presenting complaint", exact=True).fill(COMPLAINT)
    person.press("Continue")
    open_task(person, "What is asked")
    page.get_by_label("The help you ask for").fill(HELP)
    person.press("Continue")
    see_the_scene(person, "No, the scene is unsafe", DANGER)
    open_task(person, "Where it is")
    page.get_by_label("What kind of place").select_option(label="Incident Location")
    page.get_by_label("How to find it").fill(WHERE)
    page.get_by_label("Easting in metres").fill("430500")
    page.get_by_label("Northing in metres").fill("432900")
    person.press("Continue")
    give_consent(person)
    check_and_send(person, COMPLAINT, WHERE, "The call is still running", HELP, DANGER)
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


@counted
def tell_the_nature(person: Person) -> None:
    begin_update(person)
    open_task(person, "Ambulance questions")
    person.page.get_by_label("Nature of call").select_option(index=2)
    person.page.get_by_role("group", name="Is the patient breathing?").get_by_label("Yes").check()
    person.press("Continue")
    end_update(person, "Is the patient breathing?")


@counted
def tell_the_triage(person: Person, triage: Triage) -> None:
    page = person.page
    begin_update(person)
    open_task(person, "Assessment")
    page.get_by_role("radio", name=triage.stage, exact=True).check()
    page.get_by_label("Ambulance response priority").select_option(label=triage.priority)
    page.get_by_label("Clinical narrative").fill("Breathing again, drowsy")
    page.get_by_label("Triage outcome", exact=True).fill("Dx0122")
    person.press("Continue")
    end_update(person, triage.stage)


@counted
def answer(person: Person, how: str, words: str) -> None:
    person.follow("Tell how far you are")
    person.page.get_by_role("radio", name=how, exact=True).check()
    person.page.get_by_label("In your own words").fill(words)
    person.press("Continue")
    person.press("Tell the requester")
    expect(person.page.locator("main")).to_contain_text("It is recorded how far you are.")
    person.look("Referral received", patient=True)


def sees(person: Person, heading: str, *shown: str) -> None:
    reads_again(person, heading)
    person.look(heading, patient=True)
    for text in shown:
        expect(person.page.locator("main")).to_contain_text(text)


@pytest.mark.further
@pytest.mark.parametrize(
    "triages",
    [
        pytest.param(TRIAGES[:1], id="first triage"),
        pytest.param(TRIAGES, id="every triage", marks=pytest.mark.thorough),
    ],
)
def test_an_alert_its_updates_and_their_answers(
    people: People, wire: Wire, triages: Sequence[tuple[Triage, Answer]]
) -> None:
    control, neighbour = people("clinician"), people("assessor")
    theirs = first_alert(control)
    neighbour.go("/referrals/worklist/?order=age")
    neighbour.listed(theirs).get_by_role("link").click()
    neighbour.look("Referral received", patient=True)
    for text in (WHERE, HELP, DANGER):
        expect(neighbour.page.locator("main")).to_contain_text(text)

    tell_the_nature(control)
    neighbour.page.reload()
    neighbour.look("Referral", patient=True)
    answer(neighbour, "Waiting for a resource", "We have a car near by")
    sees(control, "Referral: accepted by the service", "We have a car near by", "Waiting for a resource")

    for triage, given in triages:
        tell_the_triage(control, triage)
        neighbour.page.reload()
        expect(neighbour.page.locator("main")).to_contain_text(triage.category)
        answer(neighbour, given.how, given.words)
        sees(control, given.heading, given.words, given.how)
    expect(neighbour.page.locator("main")).to_contain_text(OUTCOME)
    assert wire.rows(VERSIONS, theirs) == [(2 + len(triages),)]
    control.follow("The whole journey")
    control.look("The whole journey", patient=True)
