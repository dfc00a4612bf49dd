"""One chromium a module, the running portal, and people who use it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.browser.axe import DESKTOP, PHONE, browser_context, require_browser, shared_browser
from tests.browser.person import Person
from tests.browser.wire import Wire
from tests.stack import Stack

People = Callable[..., Person]
Cookies = list[Any]


@pytest.fixture(scope="module", autouse=True)
def _end_browser() -> Iterator[None]:
    """Other modules need the thread without Playwright's event loop."""
    yield
    shared_browser.stop()


@pytest.fixture(scope="session")
def portal(request: pytest.FixtureRequest) -> Stack:
    """The stack, but only where there is a browser to look at it."""
    require_browser()
    stack: Stack = request.getfixturevalue("stack")
    return stack


@pytest.fixture
def wire(portal: Stack) -> Iterator[Wire]:
    """The same world from behind the pages."""
    wire = Wire(portal)
    yield wire
    wire.end()


@pytest.fixture(scope="session")
def sessions() -> dict[str, Cookies]:
    """Cookies of people who signed in before, by username: to sign in once is enough for most tests."""
    return {}


@pytest.fixture
def people(portal: Stack, sessions: dict[str, Cookies], request: pytest.FixtureRequest) -> Iterator[People]:
    """`people("clinician", width=PHONE)`: somebody with a browser of their own, signed in unless named "".

    Who signs out, or changes what belongs to the session, begins as "" and signs in on their own.
    """
    with ExitStack() as opened:

        def enter(username: str = "clinician", *, width: int = DESKTOP, javascript: bool = True) -> Person:
            context = opened.enter_context(browser_context(width=width, javascript=javascript))
            name = request.node.name
            person = Person(context.new_page(), portal.portal, width, name, javascript=javascript)
            if username:
                context.add_cookies(sessions.get(username, []))
                person.go()
                if not person.is_signed_in:
                    person.sign_in(username)
                    sessions[username] = list(context.cookies())
            return person

        yield enter


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)
