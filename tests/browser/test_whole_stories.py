"""Each Application with all that its pages can state, from both sides, judged by the rows of the guide."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import People
from tests.browser.person import AMBULANCE, CAS, ED, PHARMACY, UTC_SERVICE, Person
from tests.browser.requesting import begin_request, reads_again
from tests.browser.story import Answers, Case, Times, fill, send, sent, write
from tests.browser.story_content import (
    ALERT,
    ASSESSMENT,
    BACKGROUND,
    CALL,
    CALLER,
    COMPLAINT,
    FRAME,
    HELP,
    NOT_BEFORE,
    OUTCOME,
    PATIENT,
    PLACE,
    REJECTED,
    SCENE,
    TASK,
    WARNINGS,
)
from tests.browser.story_content import (
    AMBULANCE as QUESTIONS,
)
from tests.browser.test_worklist import did_not_attend
from tests.browser.wire import Wire

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
DEPARTMENT: dict[str, Answers] = {
    "Assessment": {**ASSESSMENT, "priority": "C4"},
    "Time frame": {**NOT_BEFORE, **FRAME},
    "Warnings": WARNINGS,
    **BACKGROUND,
    **REJECTED,
}
SCENE_OF_CALL: dict[str, Answers] = {
    "Assessment": {**ASSESSMENT, **CALL, "priority": "C3"},
    "Time frame": FRAME,
    "Warnings": {**SCENE, **WARNINGS},
    **BACKGROUND,
}
# Nobody is missed before their time.
YESTERDAY = """UPDATE bookings_booking
    SET start = start - interval '2 days', "end" = "end" - interval '2 days'
    WHERE id::text IN (SELECT unnest(booking_ids)::text FROM referrals_referral
    WHERE direction = 'received' AND reference = %s)"""


def state_patient(person: Person, times: Times) -> None:
    person.follow("Patient and call-back")
    person.type_patient()
    fill(person, times, PATIENT)
    person.press("Continue")
    expect(person.page.locator(".nhsuk-task-list").first).to_be_visible()


def find(person: Person, theirs: str) -> None:
    person.go("/referrals/worklist/?order=age")
    person.listed(theirs).get_by_role("link").click()
    person.look(patient=True)


def take_back(person: Person) -> None:
    person.follow("Take it back")
    person.look(patient=True)
    person.page.get_by_role("radio", name="Circumstances changed").check()
    person.page.get_by_label("The reason in a few words").fill("The patient feels better")
    person.press("Take it back")
    expect(person.page.locator("h1")).to_contain_text("taken back")


def test_111_books_and_refers_to_a_department(people: People, wire: Wire) -> None:
    """Booked first; nobody comes."""
    sender, receiver = people("clinician"), people("assessor", width=PHONE)
    times = Times.of(triage=5, disposition=7, start=90, end=5000)
    sender.open_times(ED)
    sender.choose_time()
    sender.type_patient()
    fill(sender, times, PATIENT)
    sender.press("Continue")
    sender.press("Book the appointment")
    sender.look("Appointment booked", patient=True)
    sender.follow("Refer this patient")
    sender.page.get_by_role("radio", name="Emergency department, sent by NHS 111", exact=True).check()
    sender.press("Start")
    write(sender, times, DEPARTMENT)
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("1", sent(sender), wire, times)
    find(receiver, case.reference)
    case.judge("referral-new", receiver)
    receiver.press("Accept this referral")
    receiver.page.locator("a[href^='/bookings/diary/'][href*='-']").first.click()
    receiver.look(patient=True)
    case.judge("booking-new", receiver)
    wire.do(YESTERDAY, case.reference)
    find(receiver, case.reference)
    did_not_attend(receiver)
    expect(receiver.page.locator("main")).to_contain_text("Delivered")
    reads_again(sender, "did not attend")
    sender.follow("Read the whole answer")
    case.judge("referral-did-not-attend", sender)


def test_111_online_refers_and_books(people: People, wire: Wire) -> None:
    """Referred first; the patient needs neither any more."""
    sender, receiver = people("clinician"), people("assessor", width=PHONE)
    times = Times.of(triage=5, disposition=7, start=90, end=5000)
    begin_request(sender, UTC_SERVICE, "Urgent treatment centre, sent by NHS 111 online")
    state_patient(sender, times)
    write(sender, times, DEPARTMENT)
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("2", sent(sender), wire, times)
    sender.follow("Book an appointment for this case")
    sender.choose_time()
    sender.press("Book the appointment")
    sender.look("Appointment booked", patient=True)
    find(receiver, case.reference)
    case.judge("referral-new", receiver)
    sender.follow("Cancel this appointment")
    sender.page.get_by_role("radio", name="The patient asked for it").check()
    sender.press("Cancel the appointment")
    sender.look("Appointment cancelled", patient=True)
    case.judge("booking-new", sender)
    case.judge("booking-cancelled", sender)
    sender.go("/referrals/sent/")
    sender.listed(case.reference).get_by_role("link").first.click()
    take_back(sender)
    receiver.page.reload()
    receiver.look(patient=True)
    case.judge("referral-revoked", receiver)


def test_999_refers_to_a_clinical_assessment(people: People, wire: Wire) -> None:
    sender, receiver = people("clinician"), people("assessor", width=PHONE)
    times = Times.of(connected=1, answered=3, triage=5, disposition=7, end=300)
    begin_request(sender, CAS, "Clinical assessment, sent by 999")
    state_patient(sender, times)
    write(sender, times, {**SCENE_OF_CALL, "Where it is": PLACE, **REJECTED})
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("3", sent(sender), wire, times)
    find(receiver, case.reference)
    case.judge("referral-new", receiver)
    sender.follow("Send an update")
    sender.press("Start")
    times["later"] = times["end"] + timedelta(minutes=30)
    news = {"Time frame": {"end_time": "{later:%H:%M}"}, "Warnings": {"scene": "S", "scene_words": ""}}
    write(sender, times, news)
    send(sender, times, "{later}", button="Send the update")
    receiver.page.reload()
    case.judge("referral-update", receiver)


def test_999_has_a_call_validated(people: People, wire: Wire) -> None:
    sender, receiver = people("clinician"), people("assessor", width=PHONE)
    times = Times.of(connected=1, answered=3, triage=5, disposition=7, end=300)
    begin_request(sender, CAS, "Clinical validation of a 999 call")
    state_patient(sender, times)
    write(sender, times, {**SCENE_OF_CALL, "Where it is": PLACE})
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("4", sent(sender), wire, times)
    find(receiver, case.reference)
    case.judge("validation-new", receiver)
    receiver.press("Start working on it")
    expect(receiver.page.locator("main")).to_contain_text("You have started on this case.")
    reads_again(sender, "the service has started")
    case.judge("validation-interim", sender)
    receiver.follow("Give the outcome")
    fill(receiver, times, OUTCOME)
    receiver.look(patient=True)
    receiver.press("Continue")
    receiver.look("Check your answer", patient=True)
    receiver.press("Send the outcome")
    expect(receiver.page.locator("main")).to_contain_text("The outcome is given.")
    reads_again(sender, "completed by the service")
    sender.look(patient=True)
    sender.follow("Read the whole answer", first=True)
    case.judge("validation-full", sender)


def test_a_surgery_refers_to_a_pharmacy(people: People, wire: Wire) -> None:
    """By its clerk."""
    sender, receiver = people("clerk"), people("assessor", width=PHONE)
    times = Times.of(triage=5, disposition=7, start=90, end=5000, task_start=94, task_end=4000)
    begin_request(sender, PHARMACY, "Pharmacy: minor illness, sent by primary care")
    state_patient(sender, times)
    unasked = ("complaint",)
    assessment = {name: value for name, value in ASSESSMENT.items() if name not in unasked}
    steps = {
        "Assessment": assessment,
        "Presenting complaint": COMPLAINT,
        "What is asked": TASK,
        "Time frame": {**NOT_BEFORE, **FRAME},
        "Warnings": WARNINGS,
        **BACKGROUND,
        **REJECTED,
    }
    write(sender, times, steps)
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("5", sent(sender), wire, times)
    find(receiver, case.reference)
    case.judge("referral-new", receiver)
    receiver.press("Accept this referral")
    did_not_attend(receiver)
    reads_again(sender, "did not attend")
    sender.follow("Read the whole answer")
    case.judge("referral-did-not-attend", sender)


def test_an_ambulance_control_asks_for_help(people: People, wire: Wire) -> None:
    sender, receiver = people("clinician"), people("assessor", width=PHONE)
    minutes = {"began": 0, "connected": 1, "answered": 3, "triage": 5, "disposition": 7, "cpr": 9, "note": 11}
    times = Times.of(**minutes, second_note=13, confirmed=15, task_start=94, task_end=400)
    begin_request(sender, AMBULANCE, "Ambulance control: help with answering calls")
    state_patient(sender, times)
    assessment = {name: value for name, value in ASSESSMENT.items() if name != "complaint"}
    steps = {
        "Assessment": {**assessment, **ALERT, "priority": "C3"},
        "Presenting complaint": COMPLAINT,
        "What is asked": HELP,
        "Warnings": {**SCENE, **WARNINGS},
        "Where it is": {**PLACE, "row-0-type": "ILOC", "row-0-confirmed": "{confirmed}", **CALLER},
        **QUESTIONS,
        **BACKGROUND,
    }
    write(sender, times, steps)
    send(sender, times, *(f"{{{name}}}" for name in times))
    case = Case("6", sent(sender), wire, times)
    find(receiver, case.reference)
    case.judge("referral-new", receiver)
    receiver.follow("Tell how far you are")
    receiver.page.get_by_role("radio", name="Waiting for a resource", exact=True).check()
    receiver.page.get_by_label("In your own words").fill("A car is near by")
    receiver.press("Continue")
    receiver.press("Tell the requester")
    expect(receiver.page.locator("main")).to_contain_text("It is recorded how far you are.")
    reads_again(sender, "accepted by the service")
    sender.follow("Read the whole answer")
    case.judge("cad-response", sender)
