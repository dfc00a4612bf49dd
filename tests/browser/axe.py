"""How every page is looked at: `assert_accessible(page)` runs axe, `assert_fits(page)` narrows the window."""

import fcntl
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import SMALLEST, require_chromium, until_drawn
from tests.conftest import run_folder
from tests.profiles import is_thorough

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_SETTLED_SECONDS = 2.0
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
    require_chromium()
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m bars_portal.nhsuk.build")


def violations(page: Page) -> list[str]:
    """One line a violation: rule, how bad, what to do, and the first elements at fault."""
    # A link under the pointer is not underlined: it is the look of pages that nobody points at that counts.
    page.mouse.move(0, 0)
    page.evaluate(axe_source())
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", _RULES)
    return [
        f"{fault['id']} ({fault['impact']}): {fault['help']} at "
        + ", ".join(" ".join(map(str, node["target"])) for node in fault["nodes"][:3])
        for fault in found["violations"]
    ]


_COMPONENTS = """() => [...new Set([...document.querySelectorAll('body *')].flatMap(
    each => [each.tagName, ...[...each.classList].map(name => name.split('__')[0])]
))]"""
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|\?.*")


def is_new(page: Page) -> bool:
    """Whether no process of this run has seen its address, or a component of it at this width: axe is slow.

    In a thorough run each page is new.
    """
    size = page.viewport_size
    width = size["width"] if size else 0
    shown = {_IDS.sub("", page.url), *(f"{width} {name}" for name in page.evaluate(_COMPONENTS))}
    with (run_folder() / "seen").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        news = shown.difference(file.read().splitlines())
        file.writelines(f"{each}\n" for each in sorted(news))
    return bool(news) or is_thorough()


def assert_accessible(page: Page) -> None:
    found = violations(page)
    assert not found, "\n".join([page.url, *found])


def assert_fits(page: Page) -> None:
    """Nothing sideways in the smallest window; the window is set back."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": SMALLEST, "height": size["height"]})
    # The header folds its menu on the resize event, which comes after the window has its new size.
    deadline = time.monotonic() + _SETTLED_SECONDS
    while sideways_scroll(page) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert sideways_scroll(page) == 0, page.url
    page.set_viewport_size(size)
    until_drawn(page)


def sideways_scroll(page: Page) -> int:
    """Pixels by which the page is wider than its window; 0 when it fits."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
