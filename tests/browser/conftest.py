"""One chromium a worker, the running portal, and people who use it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.axe import require_browser
from tests.browser.chromium import DESKTOP, PHONE, browser_page, shared_browser
from tests.browser.person import Person
from tests.browser.wire import Wire
from tests.stack import Stack

People = Callable[..., Person]
Cookies = list[Any]
# Half of the time after which whoever does nothing is signed out.
_SESSION_SECONDS = 450.0


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last browser test: others need the thread without Playwright's event loop."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        shared_browser.stop()


@pytest.fixture(scope="session")
def portal(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack, but only where there is a browser to look at it."""
    require_browser()
    stack: Stack = request.getfixturevalue("stack")
    yield stack
    # Before the database of the tests goes: Django refuses to close it beside Playwright's event loop.
    shared_browser.stop()


@pytest.fixture
def wire(portal: Stack) -> Iterator[Wire]:
    """The same world from behind the pages."""
    wire = Wire(portal)
    yield wire
    wire.end()


@dataclass
class Sessions:
    """Cookies of people who signed in before: to do it once is enough for most tests, as long as it holds."""

    known: dict[str, tuple[float, Cookies]] = field(default_factory=dict)

    def of(self, username: str) -> Cookies:
        since, cookies = self.known.get(username, (0.0, []))
        return cookies if time.monotonic() < since + _SESSION_SECONDS else []

    def keep(self, username: str, cookies: Cookies) -> None:
        self.known[username] = time.monotonic(), cookies


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def people(portal: Stack, sessions: Sessions, request: pytest.FixtureRequest) -> Iterator[People]:
    """`people("clinician", width=PHONE)`: somebody with a browser of their own, signed in unless named "".

    Where they are is not said: a test begins with `go()` or another address. Who signs out, or changes what
    belongs to the session, begins as "" and signs in on their own.
    """
    with ExitStack() as opened:

        def enter(
            username: str = "clinician",
            *,
            width: int = DESKTOP,
            javascript: bool = True,
            own_clock: bool = False,
        ) -> Person:
            page = opened.enter_context(browser_page(width=width, javascript=javascript, own_clock=own_clock))
            person = Person(page, portal.portal, width, request.node.name, javascript=javascript)
            opened.callback(person.leave)
            if cookies := sessions.of(username):
                page.context.add_cookies(cookies)
            elif username:
                person.sign_in(username)
                sessions.keep(username, list(page.context.cookies()))
            return person

        yield enter


# Every page is seen in the smallest window too (`Person.look`), whatever the journey's own width.
@pytest.fixture(
    params=[
        pytest.param(DESKTOP, id="desktop"),
        pytest.param(PHONE, id="phone", marks=pytest.mark.thorough),
    ]
)
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(
    params=[pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone", marks=pytest.mark.further)]
)
def either_width(request: pytest.FixtureRequest) -> int:
    return int(request.param)
