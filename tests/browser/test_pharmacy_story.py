"""A GP practice refers to a pharmacy; the pharmacy reads what it is asked to do, and until when."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import People
from tests.browser.person import PHARMACY, Person, counted
from tests.browser.requesting import (
    begin_request,
    check_and_send,
    give_consent,
    open_task,
    reference,
    see_status,
    state_patient,
)

pytestmark = pytest.mark.browser
COMPLAINT = "Otitis media (disorder)"
ASKED = "Community Pharmacist Consultation Service for minor illness (procedure)"
TO_DO = "Look into the ear, and advise on pain relief"
NARRATIVE = "Earache for two days, no fever"
UNTIL = "31 December 2098 at 17:30"


def state_the_task(person: Person) -> None:
    """A code of the list, in what time it is to be done."""
    page = person.page
    open_task(person, "What is asked")
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Enter what is asked of the service")
    page.get_by_label("What is asked", exact=True).fill(ASKED)
    page.get_by_label("What to do").fill(TO_DO)
    for part, value in (("day", "31"), ("month", "12"), ("year", "2098")):
        page.locator(f"[id=id_end-{part}]").fill(value)
    page.locator("#id_end_time").fill("17:30")
    person.look("What is asked", patient=True)
    person.press("Continue")
    see_status(person, "What is asked", "Completed")


@counted
def refer_to_the_pharmacy(person: Person) -> str:
    """Their reference."""
    page = person.page
    begin_request(person, PHARMACY, "Pharmacy: minor illness, sent by primary care")
    state_patient(person)
    open_task(person, "Assessment")
    page.get_by_label("Clinical narrative").fill(NARRATIVE)
    page.get_by_label("Triage outcome", exact=True).fill("Dx335")
    person.press("Continue")
    open_task(person, "Presenting complaint")
    page.get_by_label("Presenting complaint", exact=True).fill("65363002")
    person.press("Continue")
    state_the_task(person)
    give_consent(person)
    check_and_send(person, COMPLAINT, ASKED, TO_DO, UNTIL)
    person.look("Referral sent", patient=True)
    return reference(person)


@pytest.mark.further
def test_a_practice_refers_and_the_pharmacy_reads(people: People) -> None:
    practice, pharmacist = people("clinician", width=PHONE), people("assessor", width=PHONE)
    theirs = refer_to_the_pharmacy(practice)
    pharmacist.go("/referrals/worklist/?order=age")
    line = pharmacist.listed(theirs)
    expect(line).to_contain_text("Pharmacy: minor illness")
    line.get_by_role("link").click()
    pharmacist.look("Referral received", patient=True)
    for text in (COMPLAINT, ASKED, TO_DO, NARRATIVE, UNTIL):
        expect(pharmacist.page.locator("main")).to_contain_text(text)
    pharmacist.press("Accept this referral")
    expect(pharmacist.page.locator("main")).to_contain_text("The referral is accepted.")
    practice.follow("Go to the case")
    practice.look("Referral: sent", patient=True)
