"""No clear answer, or another than was asked for: the page says so, and how it is settled."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import People
from tests.browser.person import CAS
from tests.browser.wire import Wire

# The drills are for the next message to the service, whoever sends it.
pytestmark = [pytest.mark.browser, pytest.mark.alone]


def hold_news(page: Page) -> None:
    """The message goes out again after 5 s: the page that is looked at does not hear of it meanwhile."""
    page.route("**/status/?seen=*", lambda question: None)


@pytest.mark.further
def test_a_lost_reply_is_not_known_until_checked_again(people: People, wire: Wire) -> None:
    person = people(width=PHONE)
    page = person.page
    slot_id = person.begin(CAS)
    wire.drill(CAS, "lost-reply")
    hold_news(page)
    person.press("Book the appointment")
    expect(page.locator("h1")).to_contain_text("We do not know yet whether this is booked")
    expect(page.locator("main")).to_contain_text("Do not book or cancel again")
    expect(page.locator("main")).to_contain_text("Still trying, next attempt at")
    for offer in ("Choose another time", "Rebook for another time", "Cancel this appointment"):
        expect(page.locator("a", has_text=offer)).to_have_count(0)
    expect(page.locator(".app-slots__table")).to_have_count(0)
    person.look("We do not know yet whether this is booked", patient=True)
    page.unroute("**/status/?seen=*")
    person.press("Check again")
    expect(page.locator(".nhsuk-panel")).to_contain_text("Reference")
    person.look("Appointment booked", patient=True)
    assert wire.booked_on(slot_id) == 1


@pytest.mark.further
def test_a_lost_reply_settles_by_itself(people: People, wire: Wire) -> None:
    person = people()
    page = person.page
    slot_id = person.begin(CAS)
    wire.drill(CAS, "lost-reply")
    person.press("Book the appointment")
    expect(page.locator("h1")).to_contain_text("We do not know yet whether this is booked")
    expect(page.locator(".nhsuk-panel")).to_contain_text("Reference", timeout=30_000)
    assert wire.booked_on(slot_id) == 1


@pytest.mark.further
def test_what_was_given_up_is_put_before_people(people: People, wire: Wire, width: int) -> None:
    person = people(width=width)
    page = person.page
    person.begin(CAS)
    wire.drill(CAS, "lost-reply")
    hold_news(page)
    person.press("Book the appointment")
    expect(page.locator("h1")).to_contain_text("We do not know yet whether this is booked")
    # As after the last attempt, hours later.
    ended = "UPDATE exchange_outboundmessage SET state = 'abandoned', next_attempt_at = NULL"
    wire.do(f"{ended} WHERE state = 'unknown'")
    page.reload()
    expect(page.locator("main")).to_contain_text("We tried several times and have stopped.")
    person.look("We do not know yet whether this is booked", patient=True)
    person.go("/")
    person.follow("messages that we stopped sending")
    person.look("Messages that we stopped sending")
    person.follow("New booking", first=True)
    page.unroute("**/status/?seen=*")
    person.press("Check again")
    expect(page.locator(".nhsuk-panel")).to_contain_text("Reference")


def test_a_slow_answer_arrives_by_itself(people: People, wire: Wire) -> None:
    person = people()
    page = person.page
    slot_id = person.begin(CAS)
    wire.drill(CAS, "slow")
    # The answer may come while the page is looked at: its questions wait until that is done.
    held: list[Route] = []
    looked = False

    def hold(question: Route) -> None:
        if looked:
            question.continue_()
        else:
            held.append(question)

    page.route("**/status/", hold)
    person.press("Book the appointment")
    expect(page.locator("h1")).to_contain_text("Still confirming")
    expect(page.locator("main")).to_contain_text("Do not book a second time")
    expect(page.get_by_role("button", name="Check again")).to_have_count(0)
    person.look("Still confirming", patient=True)
    # To unroute now would let go of those that are held, perhaps before this thread does.
    looked = True
    for question in held:
        question.continue_()
    expect(page.locator(".nhsuk-panel")).to_contain_text("Reference")
    page.unroute("**/status/")
    assert wire.booked_on(slot_id) == 1


@pytest.mark.further
def test_a_cancellation_that_is_not_known(people: People, wire: Wire) -> None:
    person = people()
    page = person.page
    slot_id = person.book(CAS)
    person.follow("Cancel this appointment")
    page.get_by_role("radio").first.check()
    wire.drill(CAS, "lost-reply")
    hold_news(page)
    person.press("Cancel the appointment")
    person.look("We do not know yet whether this is cancelled", patient=True)
    page.unroute("**/status/?seen=*")
    person.press("Check again")
    person.look("Appointment cancelled", patient=True)
    assert wire.slot_status(slot_id) == "free"


@pytest.mark.further
def test_another_time_than_asked_for(people: People, wire: Wire, width: int) -> None:
    """Both times are shown, nobody is told either, and a person settles it with the service."""
    person = people(width=width)
    page = person.page
    slot_id = person.begin(CAS)
    wire.drill(CAS, "other-time")
    person.press("Book the appointment")
    expect(page.locator("h1")).to_contain_text("Not booked as we asked")
    warning = page.locator("main")
    expect(warning).to_contain_text("Do not tell the patient a time yet")
    expect(warning).to_contain_text("We asked for")
    expect(warning).to_contain_text("The service says")
    expect(page.locator("main")).not_to_contain_text("Tell the patient")
    expect(page.locator(".nhsuk-panel")).to_have_count(0)
    person.look("Not booked as we asked", patient=True)
    address = page.url
    person.go("/")
    person.follow("ookings not as asked for")
    person.look("Bookings sent")
    page.goto(address)
    person.press("Ask the service again")
    expect(page.locator(".nhsuk-panel")).to_contain_text("Reference")
    expect(page.get_by_role("heading", name="Tell the patient")).to_be_visible()
    assert wire.booked_on(slot_id) == 1
