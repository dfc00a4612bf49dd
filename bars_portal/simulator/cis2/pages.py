"""The issuer's pages: pick who you are; what is signed in now."""

from collections.abc import Iterable, Mapping
from typing import Any

from bars_portal.simulator.cis2.memory import Session
from bars_portal.simulator.cis2.registry import Person
from bars_portal.simulator.web.rendering import render
from bars_portal.simulator.wire import Answer

# No form-action: from the first page a form leads, by redirect, back to the application.
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)


def choose_page(people: Iterable[Person], asked: Mapping[str, str]) -> Answer:
    """A button for each person and role; what was asked for goes along."""
    return _answer("choose", people=list(people), asked=asked)


def sessions_page(sessions: Iterable[Session], people: Mapping[str, Person]) -> Answer:
    """Ending one here tells the application by back-channel logout."""
    names = {sub: person.name for sub, person in people.items()}
    return _answer("sessions", sessions=list(sessions), names=names)


def page(title: str, sentence: str, *, status: int = 200) -> Answer:
    """A page with one thing to say."""
    return _answer("said", status=status, title=title, sentence=sentence)


def _answer(name: str, *, status: int = 200, **values: Any) -> Answer:
    return Answer(status, HEADERS, render(f"cis2/{name}.html", **values))
