"""An engineer follows a booking through the log, sees it unmasked for a reason, deals with a dead letter."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import FAMILY, UTC_SERVICE
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser
WHY = "Incident 4711: they say that the date of birth is missing"


def sent_for(wire: Wire, slot_id: str) -> tuple[object, object]:
    """Id and correlation id of the message that booked the slot."""
    query = (
        "SELECT sent.id, sent.correlation_id FROM exchange_outboundmessage AS sent "
        "JOIN exchange_inboundmessage AS received USING (request_id) "
        "JOIN bookings_booking AS booking ON booking.message_id = received.id WHERE booking.slot_id = %s"
    )
    message, conversation = wire.rows(query, slot_id)[0]
    return message, conversation


@pytest.mark.further
def test_from_the_log_to_the_report(people: People, wire: Wire, width: int) -> None:
    message, conversation = sent_for(wire, people().book(UTC_SERVICE))
    engineer = people("engineer", width=width)
    engineer.go("/messages/")
    engineer.look("Message log")
    engineer.page.get_by_label("Find by id").fill("not an id")
    engineer.press("Find")
    engineer.look("Message log")
    engineer.page.get_by_label("Find by id").fill(str(conversation))
    engineer.press("Find")
    engineer.look("Conversation")
    section = engineer.page.locator(f"#message-{message}")
    section.get_by_text("Content of message").click()
    expect(section).to_contain_text("•••")
    expect(section).not_to_contain_text(FAMILY)
    section.get_by_role("link", name="Show the patient's values").click()
    engineer.press("Show the values")
    engineer.look("Show what the message says")
    engineer.page.get_by_label("Why do you need to see it?").fill(WHY)
    engineer.press("Show the values")
    expect(engineer.page.locator(f"#message-{message}")).to_contain_text(FAMILY)
    engineer.look("Conversation")
    engineer.press("Mask it again")
    expect(engineer.page.locator(f"#message-{message}")).not_to_contain_text(FAMILY)
    auditor = people("auditor", width=width)
    auditor.go("/messages/unmaskings/")
    expect(auditor.page.locator("tbody")).to_contain_text(WHY)
    auditor.look("Unmasked messages")


@pytest.mark.further
def test_dead_letters_and_partners(people: People, wire: Wire, width: int) -> None:
    message, _ = sent_for(wire, people().book(UTC_SERVICE))
    change = "UPDATE exchange_outboundmessage SET state = %s, reason = %s WHERE id = %s"
    wire.do(change, "abandoned", "deadline/timeout", message)
    engineer = people("engineer", width=width)
    engineer.go("/messages/dead-letters/")
    engineer.look("Messages that need a person")
    box = engineer.page.locator(f"input[value^='{message}@']")
    box.check()
    engineer.press("Settled with the service")
    engineer.look("Are these messages settled")
    engineer.press("Settled with the service: 1 message")
    engineer.look("Are these messages settled")
    engineer.page.get_by_label("What is settled, and with whom?").fill("Rang them: they have it")
    engineer.press("Settled with the service: 1 message")
    expect(engineer.page.locator(".nhsuk-notification-banner")).to_contain_text("1 message marked")
    engineer.look("Messages that need a person")
    expect(box).to_have_count(0)
    engineer.page.locator("button", has_text="Put back").first.click()
    expect(engineer.page.locator(".nhsuk-notification-banner")).to_contain_text("on the list again")
    expect(box).to_have_count(1)
    # It was delivered after all.
    wire.do(change, "accepted", "", message)
    engineer.go("/messages/partners/")
    engineer.look("Partners")
    engineer.page.locator("tbody").first.locator("a").first.click()
    engineer.look()
