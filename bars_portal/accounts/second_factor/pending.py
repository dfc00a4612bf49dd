"""A sign-in between password and second factor: the session knows who it is to be, and lets nobody in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from django.contrib.sessions.backends.base import SessionBase

from bars_portal.accounts.models import User

LIFE = timedelta(minutes=10)
_KEY = "pending_sign_in"


@dataclass(frozen=True)
class PendingSignIn:
    """Who gave their password, and where they wanted to go."""

    user: User
    target: str


def begin(session: SessionBase, *, user: User, target: str, now: datetime) -> None:
    """Under a new session key, as after every step of a sign-in."""
    session.cycle_key()
    session[_KEY] = {
        "user": user.pk,
        "target": target,
        "at": now.timestamp(),
        "password": user.get_session_auth_hash(),
    }


def pending_sign_in(session: SessionBase, *, now: datetime) -> PendingSignIn | None:
    """None when there is none, it took too long, or the password is another one by now."""
    held = session.get(_KEY)
    if held is None or now.timestamp() - held["at"] >= LIFE.total_seconds():
        return None
    user = User.objects.filter(pk=held["user"], is_active=True).first()
    if user is None or not compare_digest(user.get_session_auth_hash(), held["password"]):
        return None
    return PendingSignIn(user, held["target"])


def end(session: SessionBase) -> None:
    session.pop(_KEY, None)
