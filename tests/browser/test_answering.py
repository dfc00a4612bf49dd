"""A category 3 call is validated: started, lowered, and the requester sees that no ambulance is needed."""

import pytest
from playwright.sync_api import expect

from tests.browser.cases import send_validation
from tests.browser.conftest import People
from tests.browser.person import Person
from tests.browser.test_worklist import arrived
from tests.browser.wire import Wire
from tests.live.partner import wait_until
from tests.stack import Stack

pytestmark = pytest.mark.browser


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
    person.press("Continue")
    person.look("Check your answer", patient=True)
    person.press("Change")
    expect(page.get_by_label("What was found and advised")).to_have_value(
        "Spoke to the caller; no red flags."
    )
    person.press("Continue")
    person.press("Send the outcome")


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
