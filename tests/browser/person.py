"""Somebody who uses the portal, and how each page that they see is looked at."""

import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import unquote

from playwright.sync_api import Frame, Locator, Page, Request, expect

from bars_portal.demo.facts import PASSWORD
from tests.browser.axe import assert_accessible, assert_fits, is_new

SHOTS = os.environ.get("BARS_SHOTS", "")
UTC_SERVICE, HUB, CAS, ED, PHARMACY = "2000099002", "2000099999", "2000099003", "2000099001", "2000099004"
AMBULANCE = "2000099005"
# Values that occur nowhere but in this patient.
FAMILY, GIVEN, NHS_NUMBER, BORN = "Quillfeather", "Adalberta", "9449306621", ("3", "11", "1947")
_RANDOM = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
PHONE_NUMBER, POSTCODE, STREET, EMAIL = "07700900777", "ZE2 9ZZ", "7 Thistledown", "adalberta@example.org"
SECRETS = (FAMILY, GIVEN, NHS_NUMBER, "449 306 6621", "7700900777", POSTCODE, "ZE29ZZ", STREET, EMAIL, "1947")


Given = ParamSpec("Given")
Result = TypeVar("Result")

# Pages of each journey before the duties of the guide were built (commit 7fc14558): none may take more.
MOST_PAGES = {
    "refer_to_the_pharmacy": 15,
    "first_alert": 20,
    "tell_the_nature": 7,
    "tell_the_triage": 7,
    "answer": 3,
    "refer_from_a_booking": 22,
    "ask_for_a_validation": 19,
    "give_outcome": 5,
    "find_it": 4,
    "did_not_attend": 3,
}


def counted(
    journey: Callable[Concatenate["Person", Given], Result],
) -> Callable[Concatenate["Person", Given], Result]:
    """Fails when the journey comes to more pages than its name may; without JavaScript it waits on more."""

    @wraps(journey)
    def walked(person: "Person", /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        before = person.pages
        result = journey(person, *args, **kwargs)
        pages = person.pages - before
        assert not person.javascript or pages <= MOST_PAGES[journey.__name__], pages
        return result

    return walked


class Person:
    """`look()` at every page and state: axe, heading, title, addresses, width; a picture when asked for."""

    def __init__(self, page: Page, portal: str, width: int, test: str, *, javascript: bool = True) -> None:
        self.page = page
        self.javascript = javascript
        self.portal = portal
        self.width = width
        self.test = re.sub(r"\W+", "-", test).strip("-")
        self.shots = 0
        self.addresses: list[str] = []
        # What a journey costs: a page that is shown again, by itself or with errors, is the same page.
        self.pages = 0
        self._last = ""
        page.on("request", self._note)
        page.on("framenavigated", self._count)

    def leave(self) -> None:
        """The page goes to somebody else."""
        self.page.remove_listener("request", self._note)
        self.page.remove_listener("framenavigated", self._count)

    def _note(self, request: Request) -> None:
        self.addresses.append(unquote(request.url))

    def _count(self, frame: Frame) -> None:
        if frame == self.page.main_frame and frame.url != self._last:
            self.pages += 1
            self._last = frame.url

    def go(self, path: str = "/") -> None:
        self.page.goto(self.portal + path)

    def sign_in(self, username: str) -> None:
        self.go()
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.press("Sign in")
        # What follows looks at the page that comes next, not at this one.
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str, *, first: bool = False) -> None:
        """Links that look like buttons too: their role is "button"."""
        link = self.page.locator("a", has_text=name)
        (link.first if first else link).click()

    def look(self, heading: str = "", *, patient: bool = False) -> None:
        """`patient`: a page about the patient, which begins with who it is."""
        page = self.page
        self._picture(heading)
        if heading:
            expect(page.locator("h1")).to_contain_text(heading)
        expect(page.locator("h1")).to_have_count(1)
        expect(page.locator(".app-environment")).to_have_count(1)
        banner = page.locator(".app-patient")
        if patient:
            for text in (FAMILY.upper(), GIVEN, "944 930 6621"):
                expect(banner).to_contain_text(text)
        assert not self._told_by([page.title(), *self.addresses])
        if self.javascript and is_new(page):
            assert_accessible(page)
            assert_fits(page)

    def listed(self, text: str) -> Locator:
        """The line of a list that has this text, on whichever of its pages: others have cases there too.

        Those that are turned for that are no pages of the journey.
        """
        before = self.pages
        # The address is a new one before the list is there.
        self.page.wait_for_load_state()
        line = self.page.locator("tr", has_text=text)
        while not line.count() and (further := self.page.locator("a[rel=next]")).count():
            self.go(further.get_attribute("href") or "")
            self.page.wait_for_load_state()
            self.pages = before
        return line

    def _told_by(self, texts: list[str]) -> list[str]:
        # A year may stand in a port or in a random id by chance.
        plain = [_RANDOM.sub("", text.removeprefix(self.portal).lower()) for text in texts]
        return [text for text in plain if any(secret.lower() in text for secret in SECRETS)]

    def _picture(self, heading: str) -> None:
        if not SHOTS:
            return
        self.shots += 1
        name = re.sub(r"\W+", "-", heading.lower())[:40] or "page"
        file = Path(SHOTS) / f"{self.test}-{self.width}-{self.shots:02d}-{name}.png"
        self.page.screenshot(path=file, full_page=True)

    # What a booking is made of.

    def open_times(self, service: str) -> None:
        self.go(f"/bookings/services/{service}/times/")

    def choose_time(self, *, day: int = 1, position: int = 0) -> str:
        """Press a free time of the `day`th day shown (0: the first, -1: the last); gives the Slot's id."""
        row = self.page.locator(".app-slots__table tbody tr").nth(day)
        button = row.locator("button").nth(position)
        slot_id = (button.get_attribute("value") or "").partition("|")[0]
        button.click()
        return slot_id

    def type_patient(self, *, without: str = "") -> None:
        """A whole patient; `without` leaves one field of the form empty."""
        day, month, year = BORN
        typed = {
            "family_name": FAMILY,
            "given_names": GIVEN,
            "birth_date-day": day,
            "birth_date-month": month,
            "birth_date-year": year,
            "nhs_number": NHS_NUMBER,
            "traced_in": "PDS",
            "address_line_1": STREET,
            "postcode": POSTCODE,
            "phone": PHONE_NUMBER,
            "email": EMAIL,
        }
        for name, value in typed.items():
            if name != without:
                self.page.locator(f"[id=id_{name}]").fill(value)
        self.page.get_by_role("radio", name="Female", exact=True).check()

    def begin(self, service: str = UTC_SERVICE) -> str:
        """As far as "check your answers"; gives the Slot's id."""
        self.open_times(service)
        slot_id = self.choose_time()
        self.type_patient()
        self.press("Continue")
        return slot_id

    def book(self, service: str = UTC_SERVICE) -> str:
        slot_id = self.begin(service)
        self.press("Book the appointment")
        expect(self.page.locator("h1")).to_contain_text("Appointment booked")
        return slot_id
