"""Inviting somebody, what would happen if they left, and reading in an emergency, as people see it."""

import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People

pytestmark = pytest.mark.browser


@pytest.mark.further
def test_people_and_break_glass(people: People) -> None:
    manager, newcomer, engineer, auditor = (
        people("manager"),
        people(""),
        people("engineer"),
        people("auditor"),
    )
    manager.go()
    manager.follow("People")
    manager.look("People")
    manager.follow("Invite somebody")
    manager.press("Invite")
    expect(manager.page.locator(".nhsuk-error-summary")).to_contain_text("Select what they will do")
    manager.look("Invite somebody")
    name = f"nia.{uuid.uuid4().hex[:8]}"
    for label, value in (("First name", "Nia"), ("Last name", "Newcomer"), ("Username", name)):
        manager.page.get_by_label(label, exact=True).fill(value)
    manager.page.get_by_label("Clerk", exact=True).check()
    manager.press("Invite")
    manager.look("Nia is invited")
    newcomer.page.goto(manager.page.locator("main code").inner_text())
    newcomer.look("Choose your password")
    for label in ("Password", "Password again"):
        newcomer.page.get_by_label(label, exact=True).fill("four words that fit")
    newcomer.press("Make my account")
    expect(newcomer.page.locator("main")).to_contain_text(f"Sign in as {name}")
    manager.go("/accounts/people/")
    manager.page.get_by_role("row", name=name).get_by_role("link").click()
    manager.look("Nia Newcomer")
    manager.follow("They have left")
    manager.look("Has Nia Newcomer left?")
    manager.press("Confirm that they have left")
    expect(manager.page.locator(".nhsuk-notification-banner")).to_contain_text("Nia Newcomer has left")

    engineer.go()
    engineer.follow("Break-glass access")
    engineer.look("Break-glass access")
    engineer.page.get_by_label("Why do you need it?").fill("The ward asks which time the patient has")
    engineer.press("Take break-glass access")
    engineer.follow("Bookings sent")
    engineer.look("Bookings sent")
    engineer.go("/admin/")
    engineer.look()
    expect(engineer.page.locator(".app-break-glass")).to_contain_text("Everything that you open is recorded")
    engineer.go()
    engineer.press("End break-glass access now")
    expect(engineer.page.locator(".app-break-glass")).to_have_count(0)
    auditor.go()
    auditor.follow("Break-glass access to review")
    auditor.look("Break-glass access to review")
    auditor.page.locator("main table a").first.click()
    auditor.look("Break-glass access")
    auditor.press("I have reviewed this")
    expect(auditor.page.locator(".nhsuk-notification-banner")).to_contain_text("Your review is recorded")
