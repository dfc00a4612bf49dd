"""Where people are signed in: written down at sign-in, listed for them, and ended by them or for them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction

from bars_portal.accounts.middleware import LAST_ACTIVITY, Limits, ended
from bars_portal.accounts.models import Cis2Session, SignedInSession, User
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record

# As browsers and systems name themselves, the more special ones first: most claim to be others as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class SessionLine:
    """One place where somebody is signed in."""

    pk: int
    device: str
    address: str
    started_at: datetime
    last_used_at: datetime
    is_this_one: bool


def device_words(user_agent: str) -> str:
    """ "Chrome on Windows"; never what a stranger wrote into the header."""
    browser = next((words for sign, words in _BROWSERS if sign in user_agent), "Another browser")
    system = next((words for sign, words in _SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser


def note_session(*, user: User, session_key: str, device: str, address: str | None, now: datetime) -> None:
    """At sign-in."""
    SignedInSession.objects.create(
        user=user, session_key=session_key, device=device, address=address, started_at=now
    )


def forget_over(*, now: datetime) -> None:
    """What can have no session any more."""
    oldest = now - timedelta(seconds=settings.ABSOLUTE_LIMIT_SECONDS)
    SignedInSession.objects.filter(started_at__lt=oldest).delete()


@transaction.atomic
def follow_session(*, old_key: str, new_key: str) -> None:
    """The same session under another key, which Django gives it with a new password."""
    for model in (SignedInSession, Cis2Session):
        model.objects.filter(session_key=old_key).update(session_key=new_key)


def forget_session(session_key: str) -> None:
    """The person signed out."""
    SignedInSession.objects.filter(session_key=session_key).delete()


def sessions_of(user: User, *, current_key: str = "", now: datetime) -> list[SessionLine]:
    """Those that are not over, this one first, then the latest used."""
    lines = [
        SessionLine(
            pk=row.pk,
            device=row.device,
            address=row.address or "not known",
            started_at=row.started_at,
            last_used_at=datetime.fromtimestamp(data[LAST_ACTIVITY], UTC),
            is_this_one=row.session_key == current_key,
        )
        for row in SignedInSession.objects.filter(user=user)
        if (data := _data_of(row.session_key, now))
    ]
    return sorted(lines, key=lambda line: (not line.is_this_one, -line.last_used_at.timestamp()))


def _data_of(session_key: str, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = _store(session_key).load()
    limits = Limits(settings.IDLE_LIMIT_SECONDS, settings.ABSOLUTE_LIMIT_SECONDS)
    return data if LAST_ACTIVITY in data and ended(data, now=now, limits=limits) is None else {}


@transaction.atomic
def end_session(*, user: User, pk: int, actor: Actor, now: datetime) -> bool:
    """False when it is over already, or is somebody else's."""
    return bool(_end(list(SignedInSession.objects.filter(user=user, pk=pk)), actor, now))


@transaction.atomic
def end_sessions(*, user: User, actor: Actor, now: datetime, but_key: str = "") -> int:
    """All of somebody's, or all but the one they sit at; how many."""
    return _end(list(SignedInSession.objects.filter(user=user).exclude(session_key=but_key)), actor, now)


def _end(rows: list[SignedInSession], actor: Actor, now: datetime) -> int:
    """A request under way in one of them saves nothing back: Django writes no session that is gone."""
    keys = [row.session_key for row in rows]
    for key in keys:
        _store(key).delete()
    Cis2Session.objects.filter(session_key__in=keys).delete()
    deleted, _ = SignedInSession.objects.filter(session_key__in=keys).delete()
    for row in rows:
        record(actor=actor, action="accounts.end_session", subject=row.user, now=now)
    return deleted


def _store(session_key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(session_key)
