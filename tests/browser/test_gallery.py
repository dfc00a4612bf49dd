"""Every component, on a desktop and on two phones: no axe violations, nothing sideways, works by keyboard."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible, require_browser, sideways_scroll
from tests.browser.chromium import DESKTOP, PHONE, SMALLEST, browser_page

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent / "gallery"
IDLE_WARNING = "13:30"
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
PAGES = [
    "/",
    "/form/",
    "/working/",
    *(f"/fail/{kind}/" for kind in ("400", "403", "404", "500", "503", "csrf")),
]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the test's own output is enough."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Address of the gallery, served without a database."""
    require_browser()
    engine: dict[str, Any] = dict(settings.TEMPLATES[0])
    templates = [{**engine, "DIRS": [*engine["DIRS"], HERE / "templates"]}]
    with override_settings(
        ROOT_URLCONF="tests.browser.gallery.urls",
        MIDDLEWARE=MIDDLEWARE,
        TEMPLATES=templates,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    ):
        server = WSGIServer(("127.0.0.1", 0), _Quiet)
        server.set_app(StaticFilesHandler(WSGIHandler()))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=[DESKTOP, PHONE, pytest.param(SMALLEST, marks=pytest.mark.further)])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser_page(width=request.param) as opened:
        yield opened


def test_no_page_has_violations_or_scrolls_sideways(site: str, page: Page) -> None:
    for address in PAGES:
        page.goto(site + address)
        assert_accessible(page)
        assert sideways_scroll(page) == 0, address
        assert page.locator("h1").count() == 1, address


def test_a_table_that_fits_has_no_scroll_bar(site: str) -> None:
    """The library draws tables two pixels wider than their place: each would be scrolled by that."""
    with browser_page() as page:
        page.goto(site + "/")
        over = page.locator(".app-scroll").evaluate_all("all => all.map(e => e.scrollWidth - e.clientWidth)")
        assert over
        assert set(over) == {0}


def test_errors_take_the_focus_and_lead_to_the_field(site: str, page: Page) -> None:
    page.goto(site + "/form/")
    page.get_by_label("Month").fill("13")
    page.get_by_label("Day").fill("31")
    page.get_by_label("Year").fill("1984")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title("Error: Patient details - BaRS portal")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    assert_accessible(page)
    page.get_by_role("link", name="Date of birth must be a real date").click()
    expect(page.get_by_label("Month")).to_be_focused()
    expect(page.get_by_label("Month")).to_have_value("13")


@pytest.mark.parametrize("width", [DESKTOP, PHONE, SMALLEST])
def test_session_dialog_warns_and_keeps_the_page(site: str, width: int) -> None:
    with browser_page(width=width, own_clock=True) as page:
        page.clock.install()
        page.goto(site + "/session/")
        page.locator("#kept").fill("half a sentence")
        dialog = page.locator("dialog")
        expect(dialog).to_be_hidden()
        page.clock.fast_forward(IDLE_WARNING)
        expect(dialog).to_be_visible()
        assert_accessible(page)
        dialog.get_by_role("button", name="Stay signed in").click()
        expect(dialog).to_be_hidden()
        expect(page.locator("#kept")).to_have_value("half a sentence")


def test_still_working_updates_itself_and_says_so(site: str) -> None:
    with browser_page() as page:
        page.goto(site + "/working/")
        expect(page.locator("#answer")).to_be_visible()
        expect(page.locator("#app-live")).to_have_text("The appointment is booked")


FOCUS_IN_SIGHT = """() => {
    const focus = document.activeElement.getBoundingClientRect();
    return focus.bottom > document.querySelector(".app-patient").getBoundingClientRect().bottom
        && focus.top < window.innerHeight;
}"""


NOTE_THE_STOP = "() => (window.stops ??= []).push(document.activeElement)"
HIDE_THE_NEXT_STOP = """at => {
    document.body.style.paddingBottom = "100vh";  // the last stops can be scrolled to the top too
    window.stops[at].focus({preventScroll: true});
    window.scrollBy({top: window.stops[at + 1].getBoundingClientRect().top - 10, behavior: "instant"});
}"""


def test_the_banner_never_hides_the_focus(site: str) -> None:
    """Backwards through the page, each stop first scrolled to where the banner covers it."""
    with browser_page(height=700) as page:
        page.goto(site + "/")
        expect(page.locator(".app-patient")).to_be_visible()
        page.locator("main :is(a[href], button):visible").last.focus()
        page.evaluate(NOTE_THE_STOP)
        for _ in range(20):
            page.keyboard.press("Shift+Tab")
            page.evaluate(NOTE_THE_STOP)
        for at in range(20):
            page.evaluate(HIDE_THE_NEXT_STOP, at)
            page.keyboard.press("Shift+Tab")
            # The browser scrolls the focus clear in its next frame.
            page.wait_for_function(FOCUS_IN_SIGHT)


def test_slots_work_by_keyboard(site: str) -> None:
    with browser_page() as page:
        page.goto(site + "/")
        page.locator("input[name=slot]:checked").focus()
        page.keyboard.press("ArrowRight")
        chosen = page.locator("input[name=slot]:checked")
        expect(chosen).to_be_focused()
        expect(chosen).to_have_value("17")


def test_targets_are_large_enough(site: str, page: Page) -> None:
    page.goto(site + "/")
    small = page.evaluate(
        "() => [...document.querySelectorAll('main button, .app-slot, nav a, nav button')]"
        ".filter(e => e.offsetParent).map(e => [e.textContent.trim(), e.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"
    )
    assert small == []


def test_pages_work_without_javascript(site: str) -> None:
    with browser_page(javascript=False) as page:
        page.goto(site + "/form/")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("link", name="Enter family name")).to_be_visible()
        expect(page.locator("dialog")).to_be_hidden()
        page.goto(site + "/working/")
        expect(page.get_by_role("link", name="Check now")).to_be_visible()
