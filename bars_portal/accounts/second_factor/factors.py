"""Who must prove themselves twice, and what somebody can do it with. Reads only."""

from dataclasses import dataclass

from django.conf import settings

from bars_portal.accounts.models import AuthenticatorApp, Membership, Passkey, RecoveryCode, User


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


def is_required(user: User) -> bool:
    """By a role in any organisation (SECOND_FACTOR_ROLES); of superusers as soon as of anybody."""
    roles = settings.SECOND_FACTOR_ROLES
    if user.is_superuser and roles:
        return True
    return Membership.objects.filter(user=user, role__in=roles).exists()
