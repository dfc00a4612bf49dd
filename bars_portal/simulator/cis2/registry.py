"""Who may use the issuer, and who the people are; and what it remembers of them while it runs.

cis2.json is read again when it changes. Codes (once, a minute), access tokens and sessions are for threads.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import orjson

from bars_portal.simulator.config import WatchedFile


@dataclass(frozen=True)
class Client:
    """A registered application; `keys` are public keys in PEM by key id."""

    client_id: str
    keys: Mapping[str, bytes]
    redirect_uris: frozenset[str]
    post_logout_redirect_uris: frozenset[str]
    backchannel_logout_uri: str


@dataclass(frozen=True)
class Person:
    """`roles` are entries of nhsid_nrbac_roles; the levels (0 to 3) say how sure the issuer is of them."""

    sub: str
    given_name: str
    family_name: str
    roles: tuple[Mapping[str, str], ...]
    authentication_level: str = "3"
    identity_level: str = "3"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class Registered:
    clients: Mapping[str, Client]
    people: Mapping[str, Person]


class Registry:
    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        empty = Registered({}, {})
        self._file: WatchedFile[Registered] = WatchedFile(path, parse=self._parse, empty=empty)

    def read(self) -> Registered:
        """Empty while there is no such file."""
        return self._file.read()

    def _parse(self, content: bytes) -> Registered:
        found: dict[str, Any] = orjson.loads(content)
        try:
            clients = {name: self._client(name, each) for name, each in found["clients"].items()}
            return Registered(clients, {each["sub"]: _person(each) for each in found["people"]})
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError("cis2.json is not as described above") from problem

    def _client(self, client_id: str, entry: Mapping[str, Any]) -> Client:
        return Client(
            client_id,
            {kid: (self._folder / file).read_bytes() for kid, file in entry["keys"].items()},
            frozenset(entry["redirect_uris"]),
            frozenset(entry.get("post_logout_redirect_uris", ())),
            entry.get("backchannel_logout_uri", ""),
        )


def _person(entry: Mapping[str, Any]) -> Person:
    return Person(
        entry["sub"],
        entry["given_name"],
        entry["family_name"],
        tuple(entry["roles"]),
        entry.get("authentication_level", "3"),
        entry.get("identity_level", "3"),
    )


CODE_LIFE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(minutes=10)
T = TypeVar("T")
# More than any demo needs; the oldest go first.
MOST = 500


@dataclass(frozen=True)
class Session:
    """Somebody signed in with one role for one application."""

    sid: str
    sub: str
    role_id: str
    client_id: str
    started_at: datetime


@dataclass(frozen=True)
class Grant:
    """What was asked for at the authorization endpoint."""

    session: Session
    redirect_uri: str
    nonce: str
    challenge: str
    expires_at: datetime


class Memory:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, tuple[Session, datetime]] = {}
        self._sessions: dict[str, Session] = {}
        self._assertions: dict[str, datetime] = {}

    def open_session(self, *, sub: str, role_id: str, client_id: str, now: datetime) -> Session:
        session = Session(secrets.token_urlsafe(24), sub, role_id, client_id, now)
        with self._lock:
            _bounded(self._sessions)[session.sid] = session
        return session

    def issue_code(self, grant: Grant) -> str:
        code = secrets.token_urlsafe(32)
        with self._lock:
            _bounded(self._codes)[code] = grant
        return code

    def take_code(self, code: str, *, now: datetime) -> Grant | None:
        """Once: the same code again is none."""
        with self._lock:
            grant = self._codes.pop(code, None)
        return grant if grant is not None and now < grant.expires_at else None

    def issue_token(self, session: Session, *, now: datetime) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            _bounded(self._tokens)[token] = (session, now + TOKEN_LIFE)
        return token

    def session_of_token(self, token: str, *, now: datetime) -> Session | None:
        with self._lock:
            session, until = self._tokens.get(token, (None, now))
            return session if session is not None and now < until and session.sid in self._sessions else None

    def claim_assertion(self, jti: str, *, now: datetime) -> bool:
        """False when this id of a client assertion was seen before."""
        with self._lock:
            if jti in self._assertions:
                return False
            _bounded(self._assertions)[jti] = now
        return True

    def sessions(self) -> list[Session]:
        """The newest first."""
        with self._lock:
            return list(self._sessions.values())[::-1]

    def end(self, sid: str) -> Session | None:
        with self._lock:
            return self._sessions.pop(sid, None)


def _bounded(kept: dict[str, T]) -> dict[str, T]:
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)))
    return kept
