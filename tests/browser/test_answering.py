"""A category 3 call is validated: started, lowered, and the requester sees that no ambulance is needed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.cases import send_validation
from tests.browser.conftest import People
from tests.browser.person import Person, counted
from tests.browser.requesting import give_consent, see_status
from tests.browser.test_worklist import arrived
from tests.browser.wire import Wire
from tests.live.partner import wait_until
from tests.stack import Stack

pytestmark = pytest.mark.browser


@counted
def give_outcome(person: Person) -> None:
    page = person.page
    person.follow("Give the outcome")
    person.look("Give the outcome", patient=True)
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    person.look("Give the outcome", patient=True)
    page.get_by_role("radio", name="No ambulance is needed: advice was given by telephone").check()
    page.get_by_role("radio", name="Category 5: no ambulance").check()
    page.get_by_label("What was found and advised").fill("Spoke to the caller; no red flags.")
    page.get_by_label("Triage code", exact=True).fill("Dx335")
    person.press("Continue")
    person.look("Check your answer", patient=True)
    person.press("Change")
    expect(page.get_by_label("What was found and advised")).to_have_value(
        "Spoke to the caller; no red flags."
    )
    person.press("Continue")
    person.press("Send the outcome")


@pytest.mark.further
def test_a_validation_is_started_and_lowered(people: People, wire: Wire, portal: Stack, width: int) -> None:
    sent_id = send_validation(portal)
    received_id, _ = arrived(wire, "validationcase", sent_id)
    requester, assessor = people("clinician", width=width), people("assessor", width=width)
    requester.go(f"/referrals/sent/{sent_id}/")
    requester.look("Validation request: sent", patient=True)
    assessor.go(f"/referrals/received/{received_id}/")
    assessor.look("Validation request received", patient=True)
    expect(assessor.page.locator("main")).to_contain_text("Category 3: urgent")
    assessor.press("Start working on it")
    expect(assessor.page.locator("main")).to_contain_text("You have started on this case.")

    # The requester's page says so by itself.
    expect(requester.page.locator("#app-news")).to_contain_text("Something came back")
    requester.follow("Refresh this page")
    requester.look("Validation request: the service has started", patient=True)

    give_outcome(assessor)
    expect(assessor.page.locator("main")).to_contain_text("The outcome is given.")
    assessor.look("Validation request received", patient=True)
    expect(requester.page.locator("#app-news")).to_contain_text("Something came back")
    requester.follow("Refresh this page")
    expect(requester.page.locator("main")).to_contain_text("No ambulance is needed")
    expect(requester.page.locator("main")).to_contain_text("lowered, was Category 3: urgent")
    requester.look("Validation request: completed by the service", patient=True)
    told = "SELECT count(*) FROM referrals_casereply WHERE validation_id = %s"
    assert wire.rows(told, sent_id) == [(2,)]


@pytest.mark.further
def test_a_case_goes_onward_and_the_requester_is_told(people: People, wire: Wire, portal: Stack) -> None:
    """A second service carries on, in the same journey and conversation; the outcome says so."""
    sent_id = send_validation(portal)
    received_id, _ = arrived(wire, "validationcase", sent_id)
    assessor = people("assessor")
    page = assessor.page
    assessor.go(f"/referrals/received/{received_id}/")
    assessor.follow("Refer onward")
    assessor.look("Which service is it for?")
    assessor.follow("Riverside Emergency Department")
    assessor.look("Refer onward", patient=True)
    page.get_by_role("radio", name="Emergency department, sent by NHS 111", exact=True).check()
    assessor.press("Start")
    assessor.look("Write a request", patient=True)
    see_status(assessor, "Assessment", "Started")
    give_consent(assessor)
    page.get_by_role("button", name="Check and send").click()
    assessor.look("Check your answers before sending", patient=True)
    expect(page.locator("main")).to_contain_text("Amoxicillin")
    assessor.press("Send")
    assessor.go(f"/referrals/received/{received_id}/")
    expect(page.locator("main")).to_contain_text("The requester does not know that yet")
    assessor.look("Validation request received", patient=True)
    assessor.follow("Give the outcome")
    onward = "No ambulance is needed: the patient was referred onward"
    expect(page.get_by_role("radio", name=onward)).to_be_checked()
    expect(page.get_by_label("What was found and advised")).to_have_value(
        re.compile("Referred onward to Riverside Emergency Department")
    )
    page.get_by_label("Triage code", exact=True).fill("Dx335")
    assessor.press("Continue")
    assessor.press("Send the outcome")
    expect(page.locator("main")).to_contain_text("The outcome is given.")
    assessor.follow("The whole journey")
    assessor.look("The whole journey", patient=True)
    expect(page.locator("main")).to_contain_text("carries on a case that we received")
    page.get_by_role("link", name="What was sent and what came back").first.click()
    assessor.look("Message sent: New referral", patient=True)
    same = """SELECT r.correlation_id = v.correlation_id AND r.journey_id = v.journey_id
        FROM referrals_referral r JOIN referrals_validationcase v ON v.id = r.onward_from WHERE v.id = %s"""
    assert wire.rows(same, received_id) == [(True,)]
    pdf = page.request.get(f"{assessor.portal}/referrals/received/{received_id}/pdf/")
    assert (pdf.headers["content-type"], pdf.body()[:5]) == ("application/pdf", b"%PDF-")
    told = "SELECT outcomes::text FROM referrals_casereply WHERE validation_id = %s"
    wait_until(lambda: any("referred onward" in row[0] for row in wire.rows(told, sent_id)))


@pytest.mark.further
def test_a_rejection_says_why_and_a_second_press_says_nothing_more(
    people: People, wire: Wire, portal: Stack
) -> None:
    sent_id = send_validation(portal)
    received_id, _ = arrived(wire, "validationcase", sent_id)
    assessor = people("assessor")
    assessor.go(f"/referrals/received/{received_id}/reject/")
    assessor.look("Reject this case", patient=True)
    assessor.page.get_by_role("radio", name="Another reason").check()
    assessor.page.get_by_label("In your own words").fill("Not our area")
    assessor.press("Continue")
    assessor.look("Check your answer", patient=True)
    assessor.press("Reject the case")
    expect(assessor.page.locator("main")).to_contain_text("The case is rejected.")
    assessor.page.go_back()
    expect(assessor.page.locator("main")).to_contain_text("This case was rejected already.")
    replies = "SELECT reason_text FROM referrals_casereply WHERE validation_id = %s"
    wait_until(lambda: wire.rows(replies, sent_id) == [("Not our area",)])
