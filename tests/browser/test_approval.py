"""A clerk books for a referral, at a time that only a clinician may allow."""

import pytest
from playwright.sync_api import expect

from tests.browser.cases import send_referral
from tests.browser.conftest import People
from tests.browser.test_worklist import arrived
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
REASON = "Dressed and stable until tomorrow"


def test_a_clerk_names_the_clinician_who_approves(
    people: People, wire: Wire, portal: Stack, width: int
) -> None:
    sent_id = send_referral(portal)
    arrived(wire, "referral", sent_id)
    clerk = people("clerk", width=width)
    clerk.go(f"/referrals/sent/{sent_id}/")
    clerk.follow("Book an appointment for this case")
    clerk.choose_time(day=-1)
    clerk.look("This time is outside the time frame", patient=True)
    clerk.press("Continue")
    expect(clerk.page.locator(".nhsuk-error-summary")).to_contain_text("Select the clinician who approves")
    clerk.look("This time is outside the time frame", patient=True)
    clerk.page.get_by_label("Clinician who approves this time").select_option(label="Chris Linnell")
    clerk.page.get_by_label("Why this time is right").fill(REASON)
    clerk.press("Continue")
    clerk.look("Check your answers before booking", patient=True)
    expect(clerk.page.locator("main")).to_contain_text(f"Approved by Chris Linnell: {REASON}")
    clerk.press("Book the appointment")
    clerk.look("Appointment booked", patient=True)
    expect(clerk.page.locator("main")).to_contain_text(f"Approved by Chris Linnell: {REASON}")
