"""Who must prove themselves twice, what with, and who is about to.

Between password and second factor the session knows who it is to be, and lets nobody in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Exists, OuterRef, Q

from bars_portal.accounts.models import AuthenticatorApp, Membership, Passkey, RecoveryCode, User

# Of a sign-in that waits for its second factor.
LIFE = timedelta(minutes=10)
_KEY = "pending_sign_in"


@dataclass(frozen=True)
class Factors:
    """What one person has."""

    app: AuthenticatorApp | None
    passkeys: tuple[Passkey, ...]
    recovery_codes_left: int

    def __bool__(self) -> bool:
        """Recovery codes alone are no second factor: they stand in for one."""
        return self.app is not None or bool(self.passkeys)

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.app is not None)


def factors_of(user: User) -> Factors:
    return Factors(
        app=AuthenticatorApp.objects.filter(user=user).first(),
        passkeys=tuple(Passkey.objects.filter(user=user).order_by("added_at", "pk")),
        recovery_codes_left=RecoveryCode.objects.filter(user=user, used_at=None).count(),
    )


def has_factor(user: User) -> bool:
    return AuthenticatorApp.objects.filter(user=user).exists() or Passkey.objects.filter(user=user).exists()


def needs_factor() -> Q:
    """Of people: by a role in any organisation (SECOND_FACTOR_ROLES); of superusers as soon as of anybody."""
    roles = settings.SECOND_FACTOR_ROLES
    by_role = Q(Exists(Membership.objects.filter(user=OuterRef("pk"), role__in=roles)))
    return by_role | Q(is_superuser=True) if roles else by_role


def is_required(user: User) -> bool:
    return User.objects.filter(needs_factor(), pk=user.pk).exists()


@dataclass(frozen=True)
class PendingSignIn:
    """Who gave their password, and where they wanted to go."""

    user: User
    target: str


def begin_pending(session: SessionBase, *, user: User, target: str, now: datetime) -> None:
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


def end_pending(session: SessionBase) -> None:
    session.pop(_KEY, None)
