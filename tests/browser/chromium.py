"""One chromium a worker, and pages in it.

A new browser context costs a second of processor time (a process of its own, every font and script anew), so
pages are lent and come back emptied. While it runs, Playwright holds an event loop in this thread, which the
ORM refuses: conftest.py ends it before the first test that is not a browser test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, WebError, expect, sync_playwright

# The shell is the same engine without a desktop around it, which costs a quarter of its time.
_PROGRAMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((each for each in _PROGRAMS if each.exists()), _PROGRAMS[-1])
# No GPU, no first-run pages, and nothing that calls home.
LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A document of the same site takes over the frame of the one before: a third of each navigation.
    "--enable-features=RenderDocument:level/crashed-frame",
]
DESKTOP, PHONE, SMALLEST = 1280, 375, 320
# Of every action and expectation: costs time only where a test fails, and CI machines are busy.
PATIENCE_MILLISECONDS = 20_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


# No page of the portal has a blank one for a neighbour (Cross-Origin-Opener-Policy): who comes from there
# gets a process of their own, with every font and script anew. An image of the same site names nobody either.
_RESTING_PLACE = "/static/build/images/favicon.svg"
_EMPTY = """() => {
    if (location.protocol === "about:") return "";
    sessionStorage.clear();
    localStorage.clear();
    return location.hostname === "127.0.0.1" ? location.origin : "";
}"""
_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def until_drawn(page: Page) -> None:
    """A press before that is not heard, or meets the place where a button was."""
    page.evaluate(_FRAMES)


def require_chromium() -> None:
    """Skips the test when this machine cannot run it."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")


class SharedBrowser:
    """One chromium, started when it is first needed, and its pages that nobody uses now."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._idle: list[Page] = []

    def lend(self) -> Page:
        return self._idle.pop() if self._idle else self.new_page()

    def take_back(self, page: Page) -> None:
        """Emptied: no document of theirs, no cookies, nothing stored by a script."""
        origin = page.evaluate(_EMPTY)
        page.goto(origin + _RESTING_PLACE if origin else "about:blank")
        page.context.clear_cookies()
        self._idle.append(page)

    def new_page(self, *, javascript: bool = True) -> Page:
        context = self._get().new_context(java_script_enabled=javascript)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        return context.new_page()

    def stop(self) -> None:
        self._idle.clear()
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._browser = self._playwright = None

    def _get(self) -> Browser:
        if self._playwright is None or self._browser is None:
            self._playwright = sync_playwright().start()
            chromium = self._playwright.chromium
            self._browser = chromium.launch(executable_path=str(CHROMIUM), args=LAUNCH_ARGUMENTS)
        return self._browser


shared_browser = SharedBrowser()


@contextmanager
def browser_page(
    *, width: int = DESKTOP, height: int = 900, javascript: bool = True, own_clock: bool = False
) -> Iterator[Page]:
    """A page of one person; every script error or blocked content on it fails the test.

    `own_clock`: for tests that set the browser's clock, which cannot be set back.
    """
    require_chromium()
    lent = javascript and not own_clock
    page = shared_browser.lend() if lent else shared_browser.new_page(javascript=javascript)
    page.set_viewport_size({"width": width, "height": height})
    with _without_faults(page):
        yield page
        if lent:
            shared_browser.take_back(page)
        else:
            page.context.close()


@contextmanager
def _without_faults(page: Page) -> Iterator[None]:
    faults: list[str] = []

    def note_error(error: WebError) -> None:
        faults.append(str(error.error))

    def note_line(line: ConsoleMessage) -> None:
        if _is_fault(line.type, line.text):
            faults.append(line.text)

    page.context.on("weberror", note_error)
    page.context.on("console", note_line)
    yield
    page.context.remove_listener("weberror", note_error)
    page.context.remove_listener("console", note_line)
    assert not faults, faults


def _is_fault(kind: str, text: str) -> bool:
    """What chromium and htmx write of an answer such as 404, which is the page's own test, and of a question
    that a newer one took the place of, is none.
    """
    # Before the second it always says the first; of every other end it says a word that is none of these.
    harmless = text.startswith(("Failed to load", "htmx:afterRequest", "htmx:sendAbort"))
    return "Content Security Policy" in text or (kind == "error" and not harmless)
