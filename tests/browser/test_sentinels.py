"""What a clinician reads when a published sentinel refuses: plain words, and what to do next."""

import csv
import re

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import People
from tests.browser.person import Person
from tests.browser.wire import Wire
from tests.conftest import ROOT

pytestmark = pytest.mark.browser
TKW, NO_TIMES, SILENT = "2000072489", "2000073917", "2000081230"
REFUSED_BOOKINGS = {
    "9658499015": "The service no longer offers this slot. Choose another slot or service.",
    "9658499023": "Somebody else took this time. Choose another slot.",
    "9658499031": "The service could not use this booking. Choose another slot or service.",
}
ROWS = tuple(csv.DictReader((ROOT / "bars_portal" / "sender_drill" / "rows.csv").read_text().splitlines()))
# What the drill does -> whose page shows it.
TABLES = {"refer": "referral", "validate": "validationcase"}
REFUSED = [row for row in ROWS if row["state"] == "refused" and row["act"] in TABLES]
STATEFUL = {
    row["told"] for row in ROWS if row["state"] == "refused" and row["act"].startswith("stateful: refer")
}
# What is read -> where it is kept, and the page that reads it first.
READ = {
    "read booking": ("bookings_booking", "/bookings/{}/cancel/"),
    "read referral": ("referrals_referral", "/referrals/sent/{}/take-back/"),
    "read validation": ("referrals_validationcase", "/referrals/sent/{}/take-back/"),
}
UNREADABLE = [row for row in ROWS if row["state"] == "unreachable" and row["act"] in READ]
REFUSED_CASES = (
    "SELECT c.id::text FROM referrals_{table} c JOIN patients_patient p ON p.id = c.patient_id "
    "WHERE p.nhs_number = %s AND c.direction = 'sent' AND c.status = 'refused' ORDER BY c.created_at DESC"
)
# The drill's latest for the patient at the service, as if it had been given the id that cannot be read back.
UNREADABLE_THERE = """
    UPDATE {table} SET remote_id = %s WHERE id = (
        SELECT c.id FROM {table} c JOIN patients_patient p ON p.id = c.patient_id
        JOIN directory_healthcareservice s ON s.id = c.service_id
        WHERE p.nhs_number = %s AND s.service_id = %s AND c.direction = 'sent'
        AND c.status IN ('booked', 'sent') ORDER BY c.created_at DESC LIMIT 1
    ) RETURNING id::text
"""
# As words: an id may hold any digits.
CODES = re.compile(r"REC_|HTTP|OperationOutcome|\b(?:500|501|503|409|422)\b")


def reads(person: Person, words: str, heading: str = "") -> None:
    person.look(heading)
    main = person.page.locator("main")
    expect(main).to_contain_text(words)
    shown = main.inner_text()
    assert not CODES.findall(shown)


def test_no_times(people: People) -> None:
    person = people()
    person.open_times(SILENT)
    reads(person, "This service did not answer. Try again, or choose another service.")
    person.open_times(NO_TIMES)
    reads(person, "This service has no free slots at these times.")


@pytest.mark.further
def test_bookings_that_are_refused(people: People) -> None:
    person = people()
    for nhs_number, words in REFUSED_BOOKINGS.items():
        person.open_times(TKW)
        person.choose_time(day=0)
        person.type_patient(without="nhs_number")
        person.page.locator("#id_nhs_number").fill(nhs_number)
        person.page.locator("#id_traced_in").fill("PDS")
        person.press("Continue")
        person.press("Book the appointment")
        reads(person, words, "Not booked")


# What each of them says is told in tests/live/test_sender_drill.py: here it is how the pages look.
@pytest.mark.thorough
@pytest.mark.usefixtures("drilled")
def test_requests_that_are_refused(people: People, wire: Wire) -> None:
    person = people(width=PHONE)
    assert len(REFUSED) == 16
    for row in REFUSED:
        (case_id,), *_ = wire.rows(REFUSED_CASES.format(table=TABLES[row["act"]]), row["nhs_number"])
        person.go(f"/referrals/sent/{case_id}/")
        reads(person, row["told"], "not sent")


@pytest.mark.further
@pytest.mark.usefixtures("drilled")
def test_requests_that_a_stateful_service_refused(people: People, wire: Wire) -> None:
    person, told = people(), set()
    for (case_id,) in wire.rows(REFUSED_CASES.format(table="referral"), "9707606312"):
        person.go(f"/referrals/sent/{case_id}/")
        reads(person, "", "not sent")
        told |= {each for each in STATEFUL if each in person.page.locator("main").inner_text()}
    assert told == STATEFUL


@pytest.mark.further
@pytest.mark.usefixtures("drilled")
def test_what_cannot_be_read_back_is_not_changed(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    assert len(UNREADABLE) == 6
    for row in UNREADABLE:
        table, page = READ[row["act"]]
        named = UNREADABLE_THERE.format(table=table)
        ((held_id,),) = wire.rows(named, row["resource"], row["nhs_number"], row["service"])
        person.go(page.format(held_id))
        reads(person, row["told"])
