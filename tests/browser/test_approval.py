"""A clerk books for a referral, at a time that only a clinician may allow: both sides are warned of it."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.cases import send_referral
from tests.browser.conftest import People
from tests.browser.test_worklist import arrived
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
LATE = "after the time by which the patient is to be seen"
A_MONTH = timedelta(days=30)
REASON = "Dressed and stable until tomorrow"


@pytest.mark.further
def test_a_clerk_names_the_clinician_who_approves(
    people: People, wire: Wire, portal: Stack, width: int
) -> None:
    sent_id = send_referral(portal)
    received_id, _ = arrived(wire, "referral", sent_id)
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
    expect(clerk.page.locator(".nhsuk-card--warning")).to_contain_text("The patient should be seen by")
    clerk.press("Book the appointment")
    clerk.look("Appointment booked", patient=True)
    expect(clerk.page.locator("main")).to_contain_text(f"Approved by Chris Linnell: {REASON}")
    expect(clerk.page.locator(".nhsuk-card--warning")).to_contain_text("The patient should be seen by")
    clerk.go(f"/referrals/sent/{sent_id}/")
    expect(clerk.page.locator(".nhsuk-card--warning")).to_contain_text(LATE)
    clerk.look("Referral: sent", patient=True)

    assessor = people("assessor", width=width)
    assessor.go(f"/referrals/received/{received_id}/")
    alarm = assessor.page.locator(".nhsuk-card--warning", has_text=LATE)
    expect(alarm).to_be_visible()
    expect(assessor.page.locator("a", has_text="The patient did not attend")).to_have_count(0)
    assessor.look("Referral received", patient=True)
    alarm.get_by_role("link").click()
    expect(assessor.page.locator(".nhsuk-card--warning")).to_contain_text("The patient should be seen by")
    assessor.look("Received booking", patient=True)
    booking_id = assessor.page.url.rstrip("/").rpartition("/")[2]
    earlier = 'UPDATE bookings_booking SET start = start - %s, "end" = "end" - %s WHERE id = %s'
    wire.do(earlier, A_MONTH, A_MONTH, booking_id)
    assessor.go(f"/referrals/received/{received_id}/")
    assessor.follow("The patient did not attend")
    expect(assessor.page.locator("main")).to_contain_text("filled in from the appointment")
    expect(assessor.page.get_by_label("Expected from")).to_have_value(re.compile(r"\d\d:\d\d"))
    assessor.look("The patient did not attend", patient=True)
