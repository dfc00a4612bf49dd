"""Setting up a second factor at the first sign-in, and using it, as a person sees it."""

import base64
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from bars_portal.demo.facts import PASSWORD
from tests.browser.conftest import People
from tests.browser.person import Person
from tests.browser.wire import Wire
from tests.factories.accounts import code_at

pytestmark = pytest.mark.browser
# A touch of a finger that is always there.
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def installer(people: People, wire: Wire) -> Person:
    """Somebody who has no second factor yet, at a name: browsers have no passkeys for addresses."""
    for table in ("authenticatorapp", "passkey", "recoverycode"):
        wire.do(f"DELETE FROM accounts_{table} WHERE user_id <> %s", 0)
    person = people("")
    person.portal = person.portal.replace("127.0.0.1", "localhost")
    devices = person.page.context.new_cdp_session(person.page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return person


def give_password(person: Person) -> None:
    person.go()
    person.page.get_by_label("Username").fill("installer")
    person.page.get_by_label("Password", exact=True).fill(PASSWORD)
    person.press("Sign in")


@pytest.mark.further
def test_an_app_at_the_first_sign_in_then_a_passkey(installer: Person) -> None:
    person, page = installer, installer.page
    give_password(person)
    person.look("Set up a second factor")
    person.follow("Authenticator app")
    person.look("Add an authenticator app")
    page.get_by_text("I cannot scan the QR code").click()
    secret = base64.b32decode(page.locator("code").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill("000000")
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("The code is not the app’s")
    page.get_by_label("Code").fill(code_at(secret, datetime.now(UTC)))
    person.press("Continue")
    person.look("Your recovery codes")
    codes = page.locator(".app-codes code").all_inner_texts()
    person.follow("I have kept them")
    expect(page.locator("nav a")).to_have_text(["Today", "Admin"])
    person.follow("Your sign-in")
    person.follow("Add another second factor")
    person.follow("Passkey")
    person.look("Add a passkey")
    page.get_by_label("Name").fill("work laptop")
    person.press("Add passkey")
    expect(page.locator("main")).to_contain_text("Passkey “work laptop”")
    person.look("Your sign-in")
    person.press("Sign out")
    give_password(person)
    person.look("Confirm that it is you")
    person.press("Use your passkey")
    expect(page.locator("h1")).to_contain_text("Today")
    person.press("Sign out")
    give_password(person)
    page.get_by_label("Code").fill(codes[0])
    person.press("Continue")
    expect(page.locator("main")).to_contain_text("You have 9 left")
