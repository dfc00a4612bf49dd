"""A referral with a safeguarding flag: found on the worklist, read, accepted; the patient does not attend."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.cases import send_referral, send_validation
from tests.browser.conftest import People
from tests.browser.person import FAMILY, Person, counted
from tests.browser.wire import Wire
from tests.live.partner import wait_until
from tests.stack import Stack

pytestmark = pytest.mark.browser
MISSED = {"start": "10:00", "end": "10:15", "words": "Rang twice, no answer"}


def arrived(wire: Wire, table: str, case_id: str) -> tuple[str, str]:
    """Id and reference of the received case, once it is there."""
    query = f"SELECT remote_id, reference FROM referrals_{table} WHERE id = %s"
    wait_until(lambda: bool(wire.rows(query, case_id)[0][0]))
    remote, reference = wire.rows(query, case_id)[0]
    return str(remote), str(reference)


@counted
def find_it(person: Person, reference: str) -> None:
    """By the warning filter, to the page of the case."""
    person.go()
    person.follow("Worklist", first=True)
    person.look("Worklist")
    person.page.locator(".app-filter summary").click()
    person.page.get_by_label("Warning").select_option("SG")
    person.press("Apply filters")
    expect(person.page).to_have_url(re.compile("flag=SG"))
    line = person.listed(reference)
    expect(line).to_contain_text("Safeguarding concern")
    person.look("Worklist")
    line.get_by_role("link").click()
    person.look("Referral received", patient=True)


@counted
def did_not_attend(person: Person) -> None:
    page = person.page
    person.follow("The patient did not attend")
    person.look("The patient did not attend", patient=True)
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    person.look("The patient did not attend", patient=True)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for part in ("day", "month", "year"):
        page.locator(f"[id=id_day-{part}]").fill(str(getattr(yesterday, part)))
    for name, value in MISSED.items():
        page.locator(f"#id_{name}").fill(value)
    page.get_by_role("radio", name="Yes: warn whoever referred the patient").check()
    page.get_by_label("The concern", exact=True).select_option("U")
    person.press("Continue")
    person.look("Check your answer", patient=True)
    person.press("Record that the patient did not attend")


def test_a_referral_is_found_read_accepted_and_not_attended(
    people: People, wire: Wire, portal: Stack, width: int
) -> None:
    sent_id = send_referral(portal)
    _, reference = arrived(wire, "referral", sent_id)
    assessor = people("assessor", width=width)
    find_it(assessor, reference)
    expect(assessor.page.locator("main")).to_contain_text("Two small children")
    assessor.press("Assign to me")
    expect(assessor.page.locator("main")).to_contain_text("Taken by Asha Sesay")
    assessor.page.get_by_label("New note").fill("Bed 4 is free")
    assessor.press("Keep the note")
    expect(assessor.page.locator("main")).to_contain_text("Bed 4 is free")
    assessor.press("Accept this referral")
    expect(assessor.page.locator("main")).to_contain_text("The referral is accepted.")
    assessor.look("Referral received", patient=True)
    did_not_attend(assessor)
    expect(assessor.page.locator("main")).to_contain_text("Delivered")
    assessor.look("Referral received", patient=True)

    clinician = people("clinician", width=width)
    clinician.go(f"/referrals/sent/{sent_id}/")
    clinician.look("Referral: the patient did not attend", patient=True)
    expect(clinician.page.locator("main")).to_contain_text("Safeguarding concern with this answer")
    clinician.follow("Read the whole answer")
    clinician.look("Answer to our referral", patient=True)
    expect(clinician.page.locator("main")).to_contain_text("Rang twice, no answer")
    clinician.follow("Back to the case")
    clinician.follow("The whole journey")
    clinician.look("The whole journey", patient=True)
    expect(clinician.page.locator("main")).to_contain_text("reply: Patient did not attend")
    clinician.go("/referrals/sent/")
    clinician.look("Referrals sent")
    expect(clinician.listed(reference)).to_contain_text(FAMILY.upper())


@pytest.mark.alone
def test_new_cases_announce_themselves_and_leave_the_focus(people: People, portal: Stack, wire: Wire) -> None:
    assessor = people("assessor", own_clock=True)
    assessor.page.clock.install()
    assessor.go("/referrals/worklist/")
    link = assessor.page.get_by_role("link", name="Refresh the list")
    link.focus()
    arrived(wire, "referral", send_referral(portal))
    assessor.page.clock.run_for(21_000)
    expect(assessor.page.locator("#app-news")).to_have_text(re.compile("1 new since you opened this list"))
    expect(link).to_be_focused()
    assessor.look("Worklist")


def test_the_time_left_ticks_and_is_said_at_a_few_moments(people: People, portal: Stack, wire: Wire) -> None:
    received_id, _ = arrived(wire, "validationcase", send_validation(portal))
    due_at = "UPDATE referrals_validationcase SET breach_at = now() + interval '320 seconds' WHERE id = %s"
    wire.do(due_at, received_id)
    assessor = people("assessor", own_clock=True)
    assessor.page.clock.install()
    assessor.go(f"/referrals/received/{received_id}/")
    due, live = assessor.page.locator("p [data-app-due]"), assessor.page.locator("#app-live")
    expect(due).to_have_text(re.compile(r"^in 5 minutes \d+ seconds? \(\w+ \d+ \w+ \d{4} at \d\d:\d\d\)$"))
    expect(live).to_be_empty()
    button = assessor.page.get_by_role("button", name="Start working on it")
    button.focus()
    before = due.inner_text()
    assessor.page.clock.run_for(4_000)
    assert due.inner_text() != before
    expect(live).to_be_empty()
    assessor.page.clock.run_for(20_000)
    expect(live).to_have_text(re.compile("^This case is due in [45] minutes"))
    assessor.page.clock.run_for(320_000)
    expect(live).to_have_text("This case is due now: the time has come.")
    expect(due).to_have_text(re.compile(r"^less than a minute ago \("))
    expect(button).to_be_focused()


def test_a_validation_past_its_time_raises_the_alarm_on_both_sides(
    people: People, portal: Stack, wire: Wire, width: int
) -> None:
    sent_id = send_validation(portal)
    received_id, _ = arrived(wire, "validationcase", sent_id)
    for case in (sent_id, received_id):
        wire.do(
            "UPDATE referrals_validationcase SET breach_at = now() - interval '9 minutes' WHERE id = %s", case
        )
    assessor, clinician = people("assessor", width=width), people("clinician", width=width)
    assessor.go("/referrals/worklist/")
    alarm = assessor.page.locator(".nhsuk-card--warning", has_text="that we received")
    expect(alarm).to_contain_text("9 minutes ago")
    assessor.look("Worklist")
    assessor.go()
    assessor.look("Today")
    expect(assessor.page.locator("main")).to_contain_text("Received validations past their time")
    clinician.go("/referrals/sent/")
    expect(clinician.page.locator(".nhsuk-card--warning", has_text="that we sent")).to_be_visible()
    clinician.look("Referrals sent")


@pytest.mark.further
def test_the_worklist_works_without_javascript(people: People, portal: Stack, wire: Wire) -> None:
    _, reference = arrived(wire, "referral", send_referral(portal))
    assessor = people("assessor", javascript=False)
    assessor.go("/referrals/worklist/?order=age&flag=SG")
    assessor.follow("Save this filter")
    name = f"Warnings {reference}"
    assessor.page.get_by_label("Name of the filter").fill(name)
    assessor.press("Save the filter")
    assessor.go("/referrals/worklist/?kind=everything")
    assessor.look("Worklist")
    assessor.page.get_by_role("link", name=name, exact=True).click()
    expect(assessor.page).to_have_url(re.compile("flag=SG"))
    line = assessor.listed(reference)
    expect(line).to_contain_text("Safeguarding concern")
    line.get_by_role("link").click()
    assessor.press("Accept this referral")
    assessor.look("Referral received", patient=True)
    expect(assessor.page.locator("main")).to_contain_text("The referral is accepted.")
