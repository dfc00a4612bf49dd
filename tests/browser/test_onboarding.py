"""An engineer leads the organisation from nothing to the endpoint catalogue of the simulated environment."""

import pytest
from playwright.sync_api import expect

from bars_portal.credentials.keys import private_pem
from tests.browser.conftest import People
from tests.factories.certificates import rsa_key

pytestmark = pytest.mark.browser
FQDN = "BaRS-INT-Y00111.MySupplier.thirdparty.nhs.uk"


def test_from_nothing_to_the_catalogue(people: People) -> None:
    engineer = people("engineer")
    page = engineer.page
    engineer.go("/onboarding/")
    engineer.look("Onboarding")
    engineer.follow("Simulated integration test", first=True)
    engineer.look("Simulated integration test")
    engineer.follow("Next: say what is connected")
    engineer.press("Save")
    engineer.look("Say what is connected")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("Select an answer")
    page.get_by_label("A supplier hosts it").check()
    page.get_by_label("Name of the supplier or provider").fill("MySupplier")
    page.get_by_label("Name of the product").fill("Portal")
    engineer.press("Save")
    engineer.go("/onboarding/simulated-int/key/")
    page.get_by_label("Bring one that was made elsewhere").check()
    page.get_by_label("Private key", exact=True).fill(private_pem(rsa_key("signing", 4096)).decode())
    engineer.press("Keep this key")
    expect(page.locator("main")).to_contain_text("MySupplier-INT-1")
    engineer.look("Make the key that signs")
    engineer.go("/onboarding/simulated-int/registration/")
    engineer.press("Save, and show the mail")
    engineer.go("/onboarding/simulated-int/token/")
    engineer.press("Get a token")
    engineer.look("Get a token")
    engineer.go("/onboarding/simulated-int/name/")
    expect(page.get_by_label("Full name of the receiver")).to_have_value(FQDN)
    engineer.press("Use this name")
    engineer.go("/onboarding/simulated-int/request/")
    engineer.press("Make key and request")
    engineer.go("/onboarding/simulated-int/certificate/")
    page.get_by_label("Or paste the text").fill("Dear engineer, please find it attached.")
    engineer.press("Take it in")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("No certificate was found in it")
    engineer.look("Take the certificate in")
    engineer.press("Ask the simulator's desk")
    expect(page.locator("main")).to_contain_text("Simulated NHS INT Level 1C")
    engineer.go("/onboarding/simulated-int/network/")
    engineer.press("Save, and show the texts")
    engineer.go("/onboarding/simulated-int/catalogue/")
    page.get_by_label("Service ids (DoS)").fill("2000099000")
    engineer.press("Enter it")
    expect(page.locator("main")).to_contain_text(f"https://{FQDN}/FHIR/R4")
    engineer.go("/onboarding/simulated-int/")
    expect(page.get_by_text("Next: see the receiver as partners do")).to_be_visible()
