"""The issuer's pages: pick who you are; what is signed in now. No scripts, no external assets."""

import html
from collections.abc import Iterable, Mapping
from string import Template

from bars_portal.simulator.cis2.memory import Session
from bars_portal.simulator.cis2.registry import Person
from bars_portal.simulator.status import HEADERS, STYLE
from bars_portal.simulator.wire import Answer

_MORE = (
    "fieldset{border:0;padding:0;margin:0 0 1.5rem}legend{font-weight:bold;font-size:1.25rem;padding:.5rem 0}"
    "button{font:inherit;display:block;width:100%;text-align:left;padding:.75rem 1rem;margin:0 0 .5rem;"
    "background:#fff;border:2px solid #005eb8;border-radius:4px;color:#005eb8;cursor:pointer}"
    "button:focus{outline:4px solid #ffeb3b;outline-offset:0;color:#212b32;border-color:#212b32}"
)
_PAGE = Template(
    '<!doctype html>\n<html lang="en-GB">\n<head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>$title</title><style>$style</style></head>\n<body><main>\n<h1>$title</h1>\n$body</main></body></html>\n"
)
_NOTE = (
    "<p>This stands in for NHS CIS2 in development and tests. It asks for no smartcard and no password, "
    "and it is not an NHS service.</p>\n"
)


def choose_page(people: Iterable[Person], asked: Mapping[str, str]) -> Answer:
    """A button for each person and role; what was asked for goes along."""
    hidden = "".join(f'<input type="hidden" {_attributes(name=n, value=v)}>' for n, v in asked.items())
    body = _NOTE + "".join(_choices(person, hidden) for person in people)
    return page("Who are you? (mock NHS CIS2)", body)


def sessions_page(sessions: Iterable[Session], people: Mapping[str, Person]) -> Answer:
    """Ending one here tells the application by back-channel logout."""
    rows = "".join(_ending(session, people) for session in sessions)
    return page("Signed in now (mock NHS CIS2)", _NOTE + (rows or "<p>Nobody is signed in.</p>"))


def page(title: str, body: str, *, status: int = 200) -> Answer:
    filled = _PAGE.substitute(title=html.escape(title), style=STYLE + _MORE, body=body)
    return Answer(status, HEADERS, filled.encode())


def _choices(person: Person, hidden: str) -> str:
    buttons = "".join(_button(person, role) for role in person.roles)
    legend = f"<legend>{html.escape(person.name)}</legend>"
    return f'<form method="post">{hidden}<fieldset>{legend}{buttons}</fieldset></form>\n'


def _button(person: Person, role: Mapping[str, str]) -> str:
    chosen = _attributes(name="chosen", value=f"{person.sub} {role['person_roleid']}")
    words = html.escape(f"{person.name}: {role['role_name']} at {role['org_code']}")
    return f"<button {chosen}>{words}</button>"


def _ending(session: Session, people: Mapping[str, Person]) -> str:
    name = people[session.sub].name if session.sub in people else session.sub
    words = html.escape(f"End the session of {name}, since {session.started_at:%H:%M:%S} UTC")
    return (
        f'<form method="post"><button {_attributes(name="sid", value=session.sid)}>{words}</button></form>\n'
    )


def _attributes(**values: str) -> str:
    return " ".join(f'{name}="{html.escape(value)}"' for name, value in values.items())
