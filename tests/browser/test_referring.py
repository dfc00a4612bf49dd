"""Sending a referral and a request for validation, through the pages and over the real wire."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import CAS, ED, FAMILY, PHONE_NUMBER, Person, counted
from tests.browser.requesting import (
    assess,
    give_consent,
    hears,
    open_task,
    reads_again,
    reference,
    see_status,
    see_the_scene,
    until_it_is_known,
)
from tests.browser.test_answering import give_outcome
from tests.browser.test_worklist import did_not_attend, find_it
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
CONCERN = "Safeguarding Concern: Child is cause for safeguarding concern"


@counted
def refer_from_a_booking(person: Person) -> str:
    """An emergency department is booked, and told of a safeguarding concern. Gives their reference."""
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
    return reference(person)


@counted
def ask_for_a_validation(person: Person) -> str:
    """Of a category 3 call, with a breach time. Gives their reference."""
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
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter the postcode of the address")
    page.get_by_label("Postcode", exact=True).fill("LS1 8TL")
    person.press("Continue")
    see_the_scene(person, "Yes, the scene is safe")
    give_consent(person)
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    person.press("Send")
    until_it_is_known(person)
    person.look("Request for validation sent", patient=True)
    expect(page.locator("main")).to_contain_text("Wednesday 31 December 2098 at 14:30")
    return reference(person)


def test_booked_referred_accepted_and_not_attended(people: People, wire: Wire, width: int) -> None:
    """The whole story, from both sides."""
    sender, assessor = people(width=width), people("assessor", width=width)
    theirs = refer_from_a_booking(sender)
    received = wire.rows(
        "SELECT safeguarding, booking_ids <> '{}' FROM referrals_referral "
        "WHERE direction = 'received' AND reference = %s",
        theirs,
    )
    assert received == [(True, True)]
    sender.page.go_back()
    expect(sender.page.locator("h1")).to_contain_text("Referral sent")

    # Nobody is missed before their time: it was yesterday.
    wire.do(
        "UPDATE bookings_booking "
        "SET start = start - interval '2 days', \"end\" = \"end\" - interval '2 days' "
        "WHERE id::text IN (SELECT unnest(booking_ids)::text FROM referrals_referral "
        "WHERE direction = 'received' AND reference = %s)",
        theirs,
    )
    find_it(assessor, theirs)
    expect(assessor.page.locator("main")).to_contain_text("Two small children at home")
    assessor.press("Accept this referral")
    did_not_attend(assessor)
    expect(assessor.page.locator("main")).to_contain_text("Delivered")
    sender.follow("Go to the case")
    sender.look("Referral: the patient did not attend", patient=True)
    expect(sender.page.locator("main")).to_contain_text("Safeguarding concern with this answer")


@pytest.mark.further
def test_a_validation_is_asked_for_without_javascript(people: People, wire: Wire) -> None:
    theirs = ask_for_a_validation(people(javascript=False))
    received = wire.rows(
        "SELECT priority, breach_at IS NOT NULL FROM referrals_validationcase "
        "WHERE direction = 'received' AND reference = %s",
        theirs,
    )
    assert received == [("C3", True)]


@pytest.mark.further
def test_a_validation_is_asked_for_started_and_lowered(people: People) -> None:
    """The whole story, from both sides: the requester sees the first step without asking."""
    requester, assessor = people("clinician"), people("assessor")
    theirs = ask_for_a_validation(requester)
    requester.follow("Go to the case")
    requester.look("Validation request: sent", patient=True)
    assessor.go("/referrals/worklist/?order=age")
    assessor.listed(theirs).get_by_role("link").click()
    expect(assessor.page.locator("main")).to_contain_text("Wednesday 31 December 2098 at 14:30")
    assessor.press("Start working on it")
    hears(requester)
    requester.look("Validation request: the service has started", patient=True)
    give_outcome(assessor)
    expect(assessor.page.locator("main")).to_contain_text("The outcome is given.")
    reads_again(requester, "Validation request: completed by the service")
    requester.look("Validation request: completed by the service", patient=True)
    for text in ("No ambulance is needed", "lowered, was Category 3: urgent"):
        expect(requester.page.locator("main")).to_contain_text(text)


def test_a_clerk_reads_why_not(people: People) -> None:
    person = people("clerk")
    person.go(f"/services/{ED}/")
    expect(person.page.locator("main")).to_contain_text("Only clinicians may refer patients")
    person.go(f"/referrals/requests/new/?service={ED}")
    person.look("No request can be sent")
    expect(person.page.locator("main")).to_contain_text("Only clinicians may refer patients")
