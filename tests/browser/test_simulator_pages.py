"""The simulator's pages in a browser: accessible, nothing sideways, and the self-test without JavaScript."""

import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from playwright.sync_api import Page, expect

from bars_portal.simulator.app import WsgiApp
from tests.browser.axe import assert_accessible, assert_fits, require_browser
from tests.browser.chromium import DESKTOP, PHONE, browser_page
from tests.simulator.conftest import CallProxy, app, clock, config, private_key, proxy, receiver, token, waits
from tests.simulator.selftest.conftest import Puppet, puppet
from tests.simulator.test_journal import WASP

__all__ = ["app", "clock", "config", "private_key", "proxy", "puppet", "receiver", "token", "waits"]
MEDIA: dict[str, str | None] = {"Content-Type": "application/fhir+json"}
pytestmark = pytest.mark.browser


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def address(app: WsgiApp, proxy: CallProxy) -> Iterator[str]:
    """The simulator after a sound request and a bad one."""
    require_browser()
    proxy("GET", "/metadata", headers={"NHSD-End-User-Organisation": WASP})
    proxy("POST", "/$process-message", headers=MEDIA, body=b'{"resourceType": "Bundle"}')
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        server.set_app(app)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.further
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_what_came_by_can_be_read_and_kept(address: str, width: int, tmp_path: Path) -> None:
    with browser_page(width=width) as page:
        page.goto(address)
        expect(page.locator("h1")).to_have_text("BaRS simulator")
        look(page)
        page.get_by_text("Addresses and switches").click()
        look(page)
        page.get_by_role("link", name="POST /$process-message").click()
        expect(page.locator("h1")).to_contain_text("POST /$process-message")
        expect(page.get_by_role("table")).to_contain_text("Bundle.type is not message")
        look(page)
        page.get_by_role("link", name="Back to all requests").click()
        page.get_by_label("Organisation").select_option("WASP")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("table")).not_to_contain_text("$process-message")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the requests of WASP").click()
        assert download.value.suggested_filename == "bars-requests-WASP.zip"


@pytest.mark.further
def test_the_self_test_without_javascript(address: str, puppet: Puppet, private_key: RSAPrivateKey) -> None:
    puppet.echo = False
    with browser_page(javascript=False) as page:
        page.goto(f"{address}/selftest")
        page.get_by_label("Base URL").fill(puppet.url)
        page.get_by_label("DoS service id").fill("none")
        for name in ("Client certificate", "Private key", "Certificates that the receiver is trusted by"):
            page.get_by_label(name, exact=True).fill("")
        page.get_by_label("Single scenarios").fill("IDS-08")
        page.get_by_role("button", name="Start the self-test").click()
        expect(page.get_by_role("alert")).to_contain_text("enter a DoS service id")
        page.get_by_label("DoS service id").fill("2000099999")
        page.get_by_role("button", name="Start the self-test").click()
        expect(page.locator("h1")).to_have_text("Self-test run 1")
        while page.get_by_role("link", name="Show how far it is").count():
            page.get_by_role("link", name="Show how far it is").click()
        expect(page.locator("main")).to_contain_text("1 scenarios failed")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the validation report").click()
        assert download.value.suggested_filename == "bars-selftest-1.zip"


@pytest.mark.further
@pytest.mark.parametrize("place", ["/selftest", "/requests/99"])
def test_pages_are_accessible(address: str, place: str) -> None:
    with browser_page() as page:
        page.goto(address + place)
        look(page)


def look(page: Page) -> None:
    assert_accessible(page)
    assert_fits(page)
