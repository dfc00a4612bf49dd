"""Chromium and axe for browser tests.

`browser_page(width)` opens one page; `assert_accessible(page)` runs axe and fails with the rule and place of
each violation. Skips where chromium or node_modules is absent. One browser serves all tests of a module
(conftest.py ends it): while it runs, Playwright holds an event loop in this thread, which the ORM refuses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# No GPU, no first-run pages, and nothing that calls home.
LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE, SMALLEST = 1280, 375, 320
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What passes need not be described: half the time.
    "resultTypes": ["violations"],
    # It would write styles into the page, which the page's policy forbids.
    "preload": False,
}


@cache
def axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


def require_browser() -> None:
    """Skips the test when this machine cannot run it."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m bars_portal.nhsuk.build")


class SharedBrowser:
    """One chromium, started when it is first needed."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def get(self) -> Browser:
        if self._playwright is None or self._browser is None:
            self._playwright = sync_playwright().start()
            chromium = self._playwright.chromium
            self._browser = chromium.launch(executable_path=str(CHROMIUM), args=LAUNCH_ARGUMENTS)
        return self._browser

    def stop(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._browser = self._playwright = None


shared_browser = SharedBrowser()


@contextmanager
def browser_context(
    *, width: int = DESKTOP, height: int = 900, javascript: bool = True
) -> Iterator[BrowserContext]:
    """Cookies and pages of one person; every script error or blocked content on them fails the test."""
    require_browser()
    faults: list[str] = []
    context = shared_browser.get().new_context(
        viewport={"width": width, "height": height}, java_script_enabled=javascript
    )
    context.set_default_timeout(10_000)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda line: faults.append(line.text) if _is_fault(line.type, line.text) else None)
    yield context
    context.close()
    assert not faults, faults


@contextmanager
def browser_page(*, width: int = DESKTOP, height: int = 900, javascript: bool = True) -> Iterator[Page]:
    """One page in a fresh browser context."""
    with browser_context(width=width, height=height, javascript=javascript) as context:
        yield context.new_page()


def _is_fault(kind: str, text: str) -> bool:
    """An answer such as 404 is also written to the console as an error: that is the page's own test."""
    return "Content Security Policy" in text or (kind == "error" and not text.startswith("Failed to load"))


def violations(page: Page) -> list[str]:
    """One line a violation: rule, how bad, what to do, and the first elements at fault."""
    page.evaluate(axe_source())
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", _RULES)
    return [
        f"{fault['id']} ({fault['impact']}): {fault['help']} at "
        + ", ".join(" ".join(map(str, node["target"])) for node in fault["nodes"][:3])
        for fault in found["violations"]
    ]


def assert_accessible(page: Page) -> None:
    found = violations(page)
    assert not found, "\n".join([page.url, *found])


def sideways_scroll(page: Page) -> int:
    """Pixels by which the page is wider than its window; 0 when it fits."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
