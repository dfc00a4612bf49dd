"""An engineer leads an organisation from nothing to the endpoint catalogue, and on to a passed self-test.

With the sender drill, as it is run at int.
"""

import os
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bars_portal.credentials.keys import private_pem
from bars_portal.demo.onboarding import ASSESSES, ODS, SERVICE, is_listening
from bars_portal.demo.setup import Ports
from tests.browser.axe import require_browser
from tests.browser.chromium import DESKTOP, browser_page
from tests.browser.conftest import People
from tests.browser.person import Person
from tests.factories.certificates import rsa_key
from tests.stack import Launcher, free_ports

pytestmark = pytest.mark.browser
DESK = "/onboarding/simulated-int/"
# For the programs to start, and for every scenario of the self-test.
PATIENCE_SECONDS = 300.0


def lead(engineer: Person, *, fqdn: str, services: str, port: int) -> None:
    """Through every step up to the catalogue."""
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
    engineer.go(f"{DESK}key/")
    page.get_by_label("Bring one that was made elsewhere").check()
    page.get_by_label("Private key", exact=True).fill(private_pem(rsa_key("signing", 4096)).decode())
    engineer.press("Keep this key")
    expect(page.locator("main")).to_contain_text("MySupplier-INT-1")
    engineer.look("Make the key that signs")
    engineer.go(f"{DESK}registration/")
    engineer.press("Register it")
    engineer.go(f"{DESK}token/")
    engineer.press("Get a token")
    engineer.look("Get a token")
    engineer.go(f"{DESK}name/")
    expect(page.get_by_label("Full name of the receiver")).to_have_value(fqdn)
    engineer.press("Use this name")
    engineer.go(f"{DESK}request/")
    engineer.press("Make key and request")
    engineer.go(f"{DESK}certificate/")
    page.get_by_label("Or paste the text").fill("Dear engineer, please find it attached.")
    engineer.press("Take it in")
    expect(page.locator(".nhsuk-error-summary")).to_contain_text("No certificate was found in it")
    engineer.look("Take the certificate in")
    engineer.press("Ask the simulator's desk")
    expect(page.locator("main")).to_contain_text("Simulated NHS INT Level 1C")
    engineer.go(f"{DESK}network/")
    engineer.press("Save, and show the texts")
    engineer.go(f"{DESK}catalogue/")
    page.get_by_label("Service ids (DoS)").fill(services)
    page.get_by_label("Port", exact=True).fill(str(port))
    engineer.press("Enter it")
    expect(page.locator("main")).to_contain_text(f"https://{fqdn}:{port}/FHIR/R4")
    engineer.go(DESK)
    expect(page.get_by_text("Next: see the receiver as partners do")).to_be_visible()


@pytest.mark.further
def test_from_nothing_to_the_catalogue(people: People) -> None:
    fqdn = "BaRS-INT-Y00111.MySupplier.thirdparty.nhs.uk"
    lead(people("engineer"), fqdn=fqdn, services="2000099000", port=8443)


@pytest.mark.thorough
def test_from_nothing_to_a_passed_self_test(tmp_path: Path) -> None:
    """`make onboarding-demo PAGES=1`, and everything else by pages."""
    require_browser()
    launcher = Launcher(tmp_path, Ports(*free_ports(4)), "", "bars_portal.demo.onboarding", {"PAGES": "1"})
    process = launcher.start()
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while "Sign in as engineer" not in launcher.log.read_text():
            assert process.poll() is None, launcher.log.read_text()
            assert time.monotonic() < until
            time.sleep(0.2)
        with browser_page(width=DESKTOP) as page:
            engineer = Person(page, f"http://127.0.0.1:{launcher.ports.portal}", DESKTOP, "onboarding")
            engineer.sign_in("engineer")
            fqdn = f"BaRS-INT-{ODS}.MySupplier.thirdparty.nhs.uk"
            services = f"{SERVICE.service_id}\n{ASSESSES.service_id}"
            lead(engineer, fqdn=fqdn, services=services, port=launcher.ports.receiver)
            engineer.go(f"{DESK}connection/")
            engineer.press("Use this key and address")
            until = time.monotonic() + PATIENCE_SECONDS
            while not is_listening(launcher.ports.receiver):
                assert time.monotonic() < until
                time.sleep(0.2)
            engineer.go(f"{DESK}partner-view/")
            engineer.press("Ask through the proxy")
            expect(page.locator("main")).to_contain_text("software: BaRS portal")
            engineer.go(f"{DESK}self-test/")
            engineer.press("Run it")
            until = time.monotonic() + PATIENCE_SECONDS
            while "Look again" in (said := page.locator("main").inner_text()):
                assert time.monotonic() < until, said
                time.sleep(1)
                engineer.go(f"{DESK}self-test/")
            for part in ("Asked through the proxy", "Every scenario", "Sender drill"):
                assert part in said, said
            assert "Not working" not in said, said
            assert "Could not be run" not in said
            engineer.look("Run the self-test")
            engineer.leave()
    finally:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
