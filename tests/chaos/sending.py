"""Who sends the messages of a run: a service layer's caller, or people at the portal's pages as well."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.chaos.strikes import Run
from tests.live.people import Person, signed_in

# What people send of a run; a page takes many times as long as the write that it is about.
_BY_PAGES = 200
_PEOPLE = 4
_PATIENCE_SECONDS = 120.0
_REQUESTS = "/referrals/requests/"


def send_all(run: Run) -> None:
    run.stack.call("tests.chaos.world.send", run.partners, run.messages)


def send_by_pages(run: Run) -> None:
    """A part of them as finished drafts on which somebody presses send, again whenever no page comes back."""
    count = min(_BY_PAGES, run.messages)
    drafts = run.stack.call("tests.chaos.world.write_drafts", run.partners, count).split()
    with ExitStack() as portal, ThreadPoolExecutor(_PEOPLE) as people:
        person = _sign_in(run, portal)
        pressed = [people.submit(_press, run, person, draft) for draft in drafts]
        run.stack.call("tests.chaos.world.send", run.partners, run.messages - count)
        run.pressed_again = sum(each.result() for each in pressed)
    run.said.append(f"{run.pressed_again} presses without a page")


def _sign_in(run: Run, portal: ExitStack) -> Person:
    while True:
        try:
            return portal.enter_context(signed_in(run.stack))
        except httpx.TransportError:
            time.sleep(0.5)


def _press(run: Run, person: Person, draft: str) -> int:
    """How often no page came back."""
    deadline, failures = time.monotonic() + _PATIENCE_SECONDS, 0
    while True:
        try:
            page = person.get(f"{_REQUESTS}{draft}/check/")
            if "/check/" in page.url.path and page.status_code == 200:
                page = person.submit(page, {})
            if page.status_code == 200 and "/check/" not in page.url.path:
                return failures
        except httpx.TransportError:
            pass
        failures += 1
        assert time.monotonic() < deadline, "no page came back"
        time.sleep(0.5)
