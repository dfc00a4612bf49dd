"""What a clinician reads when a published sentinel refuses: plain words, and what to do next."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import Person
from tests.browser.wire import Wire
from tests.stack import Stack

pytestmark = pytest.mark.browser
TKW, NO_TIMES, SILENT = "2000072489", "2000073917", "2000081230"
REFUSED_BOOKINGS = {
    "9658499015": "The service no longer offers this slot. Choose another slot or service.",
    "9658499023": "Somebody else took this time. Choose another slot.",
    "9658499031": "The service could not use this booking. Choose another slot or service.",
}
REFUSED_CASES = {
    ("referral", "9658499066"): "The service could not read our request. Call the service",
    ("referral", "9658499074"): "The service had a technical fault and took nothing.",
    ("referral", "9658499171"): "The service does not take requests from us. Choose another service.",
    ("validationcase", "9658499112"): "The service could not take this request as it stands.",
    ("validationcase", "9658499120"): "The service could not use this request. Choose another service.",
}
NEWEST_CASE = (
    "SELECT c.id::text FROM referrals_{table} c JOIN patients_patient p ON p.id = c.patient_id "
    "WHERE p.nhs_number = %s AND c.direction = 'sent' ORDER BY c.created_at DESC LIMIT 1"
)
# Booked there, and its id is one that cannot be read back: the drill has just left it so.
UNREADABLE_BOOKING = (
    "SELECT id::text FROM bookings_booking WHERE remote_id = '0d440c22-7f25-4c6c-905d-2213d197d02a' "
    "ORDER BY created_at DESC LIMIT 1"
)
UNREADABLE_CASE = (
    "SELECT id::text FROM referrals_referral WHERE remote_id = '4d65ddaa-4d09-41cd-87c9-aeb9c0c96352' "
    "ORDER BY created_at DESC LIMIT 1"
)
CODES = ("REC_", "HTTP", "OperationOutcome", "500", "422", "409", "503", "501")


@pytest.fixture(scope="module")
def drilled(portal: Stack) -> None:
    """Requests and bookings that the sentinels refused, sent by the portal's services; made once."""
    portal.manage("bars_sender_drill", "--scenario", "refused: HTTP")


def reads(person: Person, words: str, heading: str = "") -> None:
    person.look(heading)
    main = person.page.locator("main")
    expect(main).to_contain_text(words)
    shown = main.inner_text()
    assert not [code for code in CODES if code in shown]


def test_no_times(people: People, width: int) -> None:
    person = people(width=width)
    person.open_times(SILENT)
    reads(person, "This service did not answer. Try again, or choose another service.")
    person.open_times(NO_TIMES)
    reads(person, "This service has no free slots at these times.")


def test_bookings_that_are_refused(people: People, width: int) -> None:
    person = people(width=width)
    for nhs_number, words in REFUSED_BOOKINGS.items():
        person.open_times(TKW)
        person.choose_time(day=0)
        person.type_patient(without="nhs_number")
        person.page.locator("#id_nhs_number").fill(nhs_number)
        person.page.locator("#id_nhs_number_verified").check()
        person.press("Continue")
        person.press("Book the appointment")
        reads(person, words, "Not booked")


@pytest.mark.usefixtures("drilled")
def test_requests_that_are_refused(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    for (table, nhs_number), words in REFUSED_CASES.items():
        ((case_id,),) = wire.rows(NEWEST_CASE.format(table=table), nhs_number)
        person.go(f"/referrals/sent/{case_id}/")
        reads(person, words, "not sent")


@pytest.mark.usefixtures("drilled")
def test_what_cannot_be_read_back_is_not_changed(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    ((booking_id,),) = wire.rows(UNREADABLE_BOOKING)
    person.go(f"/bookings/{booking_id}/cancel/")
    reads(person, "The service did not show us the appointment, so nothing was changed.")
    ((case_id,),) = wire.rows(UNREADABLE_CASE)
    person.go(f"/referrals/sent/{case_id}/take-back/")
    reads(person, "The service did not show us the request, so nothing was changed.")
