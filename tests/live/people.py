"""A person at the portal's pages: plain forms, no JavaScript. Notes every address and title that is seen."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

import httpx

from tests.live.partner import wait_until
from tests.stack import Stack

# The nearest days are left to those who look at the pages in a browser.
DAYS_AHEAD = 8
PATIENT = {
    "family_name": "Ravensworth",
    "given_names": "Delphine",
    "birth_date-day": "4",
    "birth_date-month": "5",
    "birth_date-year": "1957",
    "gender": "female",
    "call_back": "patient",
    "phone": "07700900222",
    "address_line_1": "19 Tamarisk Rise",
    "town": "Leeds",
    "postcode": "LS8 2ZQ",
}


@dataclass
class Person:
    """Signed in. Every page is read as a browser without JavaScript would."""

    http: httpx.Client
    addresses: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def get(self, address: str) -> httpx.Response:
        return self._noted(self.http.get(address))

    def submit(self, page: httpx.Response, answers: Mapping[str, str], *, to: str = "") -> httpx.Response:
        """A form of the page, to its own address or to `to`."""
        token = found(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        form = {"csrfmiddlewaretoken": token, **answers}
        return self._noted(self.http.post(to or str(page.url), data=form))

    def choose_time(self, service: str, *, days_ahead: int = DAYS_AHEAD, position: int = 0) -> httpx.Response:
        """From the service's times to the patient form."""
        first = (datetime.now(UTC) + timedelta(days=days_ahead)).date()
        page = self.get(f"/bookings/services/{service}/times/?from={first}")
        return self.press_time(page, position)

    def press_time(self, page: httpx.Response, position: int = 0) -> httpx.Response:
        """One of the buttons with times: the slot's id is kept in its value."""
        slots = re.findall(r'name="slot" value="([^"]+)"', page.text)
        assert slots, f"no times on {page.url.path}"
        target = found(r'<form method="post" action="([^"]+)" novalidate>', page.text)
        return self.submit(page, {"slot": unescape(slots[position])}, to=unescape(target))

    def fill_in(self, page: httpx.Response, **changed: str) -> httpx.Response:
        """The patient form, on to check-your-answers."""
        return self.submit(page, {name: value for name, value in (PATIENT | changed).items() if value})

    def confirm(self, page: httpx.Response) -> httpx.Response:
        assert heading(page) == "Check your answers before booking"
        return self.submit(page, {})

    def book(self, service: str, **changed: str) -> httpx.Response:
        """The whole way to the page of the booking."""
        return self.settled(self.confirm(self.fill_in(self.choose_time(service), **changed)))

    def settled(self, page: httpx.Response) -> httpx.Response:
        """The booking's page once nothing is on its way any more."""
        pages = [page]

        def done() -> bool:
            if heading(pages[-1]) not in ("Still confirming", "Cancelling"):
                return True
            time.sleep(0.2)
            pages.append(self.get(page.url.path))
            return False

        wait_until(done)
        return pages[-1]

    def check_again(self, page: httpx.Response) -> httpx.Response:
        return self.submit(page, {}, to=found(r'action="([^"]+/check-again/)"', page.text))

    def cancel(self, page: httpx.Response) -> httpx.Response:
        """From the booking's page to the page after."""
        form = self.get(f"{page.url.path}cancel/")
        return self.settled(self.submit(form, {"reason": "patient", "details": ""}))

    def rebook(self, page: httpx.Response, *, position: int = 3) -> httpx.Response:
        chosen = self.press_time(self.get(f"{page.url.path}rebook/"), position)
        assert heading(chosen) == "Rebook this appointment"
        return self.settled(
            self.submit(chosen, {"reason": "condition", "details": "", "reassessed": "unchanged"})
        )

    def _noted(self, page: httpx.Response) -> httpx.Response:
        for each in (*page.history, page):
            self.addresses.append(str(each.request.url))
            self.titles += re.findall(r"<title>([^<]*)</title>", each.text)
        return page


@contextmanager
def signed_in(stack: Stack, username: str = "clinician") -> Iterator[Person]:
    with httpx.Client(base_url=stack.portal, trust_env=False, follow_redirects=True, timeout=60) as http:
        person = Person(http)
        page = person.get("/accounts/sign-in/")
        home = person.submit(page, {"username": username, "password": "demo-only"})
        assert urlsplit(str(home.url)).path == "/", heading(home)
        yield person


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"nothing like {pattern} on the page"
    return match[1]


def heading(page: httpx.Response) -> str:
    """The words of the page's h1."""
    inner = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert inner, f"no h1 on {page.url.path}"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner[1])).split())
