"""Chromium and axe for browser tests.

`browser_page(width)` opens one page; `assert_accessible(page)` runs axe and fails with the rule and place of
each violation. Skips where chromium or node_modules is absent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

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
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@cache
def axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


def require_browser() -> None:
    """Skips the test when this machine cannot run it."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m bars_portal.nhsuk.build")


@contextmanager
def browser_page(*, width: int = DESKTOP, height: int = 900, javascript: bool = True) -> Iterator[Page]:
    """One page in a fresh browser context; every script error on it fails the test."""
    require_browser()
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=LAUNCH_ARGUMENTS)
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=javascript
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if _is_policy_fault(line.text) else None)
        yield page
        context.close()
        browser.close()
    assert not faults, faults


def _is_policy_fault(text: str) -> bool:
    return "Content Security Policy" in text


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
    assert not found, "\n".join(found)


def sideways_scroll(page: Page) -> int:
    """Pixels by which the page is wider than its window; 0 when it fits."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
