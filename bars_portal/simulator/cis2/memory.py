"""What the issuer remembers while it runs: codes (once, a minute), access tokens, sessions. For threads."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

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
