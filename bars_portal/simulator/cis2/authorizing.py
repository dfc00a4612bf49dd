"""The authorization endpoint: the question is checked, a person picked, the browser goes back with a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from bars_portal.simulator.cis2.memory import CODE_LIFE, Grant, Memory
from bars_portal.simulator.cis2.pages import choose_page, page
from bars_portal.simulator.cis2.registry import Person, Registered
from bars_portal.simulator.wire import Answer

_ASKED = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)


@dataclass(frozen=True)
class Authorizing:
    memory: Memory

    def show(self, registered: Registered, given: Mapping[str, str]) -> Answer:
        """The page to choose on; a bad question goes back, unless nobody knows where to."""
        asked = {name: given[name] for name in _ASKED if name in given}
        return _wrong(registered, asked) or choose_page(registered.people.values(), asked)

    def choose(self, registered: Registered, given: Mapping[str, str], *, now: datetime) -> Answer:
        asked = {name: given[name] for name in _ASKED if name in given}
        wrong = _wrong(registered, asked)
        if wrong is not None:
            return wrong
        sub, _, role_id = given.get("chosen", "").partition(" ")
        person = registered.people.get(sub)
        if person is None or not _has(person, role_id):
            return _back(asked, error="access_denied")
        session = self.memory.open_session(sub=sub, role_id=role_id, client_id=asked["client_id"], now=now)
        grant = Grant(
            session, asked["redirect_uri"], asked["nonce"], asked["code_challenge"], now + CODE_LIFE
        )
        return _back(asked, code=self.memory.issue_code(grant))


def _has(person: Person, role_id: str) -> bool:
    return any(role["person_roleid"] == role_id for role in person.roles)


def _wrong(registered: Registered, asked: Mapping[str, str]) -> Answer | None:
    client = registered.clients.get(asked.get("client_id", ""))
    if client is None or asked.get("redirect_uri") not in client.redirect_uris:
        # Never back to an address that nobody has registered.
        return page("Not registered", "This application or its address is not registered.", status=400)
    if asked.get("response_type") != "code":
        return _back(asked, error="unsupported_response_type")
    if "openid" not in asked.get("scope", "").split():
        return _back(asked, error="invalid_scope")
    needed = all(asked.get(name) for name in ("state", "nonce", "code_challenge"))
    if not needed or asked.get("code_challenge_method") != "S256":
        return _back(asked, error="invalid_request")
    return None


def _back(asked: Mapping[str, str], **said: str) -> Answer:
    state = {"state": asked["state"]} if asked.get("state") else {}
    return Answer(303, (("Location", f"{asked['redirect_uri']}?{urlencode({**said, **state})}"),))
