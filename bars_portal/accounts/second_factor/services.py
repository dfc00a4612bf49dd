"""Adding, using and removing second factors. What counts once is settled by the database."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from bars_portal.accounts.acting import user_called
from bars_portal.accounts.models import AuthenticatorApp, Passkey, RecoveryCode, User
from bars_portal.accounts.permissions import need
from bars_portal.accounts.second_factor import proofs
from bars_portal.accounts.second_factor.factors import factors_of, is_required
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import format_date
from bars_portal.sealing import Sealer

SEALER = Sealer("bars_portal.accounts authenticator app")
MOST_PASSKEYS = 10


@dataclass(repr=False)
class Proof:
    """What somebody shows: a code, or a passkey's answer to `state`, which was asked at `origin`."""

    now: datetime
    code: str = ""
    passkey: str = ""
    state: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    # How it was proven, once it is: app, passkey or recovery.
    way: str = ""


def prove(user: User, proof: Proof) -> bool:
    """Whether it is theirs and fresh; then it is used up, and `proof.way` says what it was."""
    if proof.passkey:
        proof.way = "passkey" if _use_passkey(user, proof) else ""
    elif _use_app(user, proof):
        proof.way = "app"
    else:
        proof.way = "recovery" if _use_recovery_code(user, proof) else ""
    return bool(proof.way)


class SecondFactorBackend:
    """`authenticate(request, username=..., secret_proof=Proof(...))`: guesses count and lock as at passwords.

    Its name is one that Django leaves out of the signal of a failure. Nobody is signed in by it alone.
    """

    def authenticate(self, request: HttpRequest | None, username: str, secret_proof: Proof) -> User | None:
        user = user_called(username)
        return user if user is not None and user.is_active and prove(user, secret_proof) else None

    def get_user(self, user_id: int) -> None:
        """No session is of this backend."""


def _use_app(user: User, proof: Proof) -> bool:
    app = AuthenticatorApp.objects.filter(user=user).first()
    secret = SEALER.unseal(bytes(app.sealed)) if app is not None else None
    period = proofs.period_of(secret, proof.code, now=proof.now) if secret is not None else None
    if period is None:
        return False
    # Of two who show one code, or show it again, one at most is believed.
    return bool(AuthenticatorApp.objects.filter(user=user, last_period__lt=period).update(last_period=period))


@transaction.atomic
def _use_recovery_code(user: User, proof: Proof) -> bool:
    unused = RecoveryCode.objects.filter(user=user, digest=proofs.recovery_digest(proof.code), used_at=None)
    if not unused.update(used_at=proof.now):
        return False
    record(actor=_themselves(user), action="accounts.use_recovery_code", subject=user, now=proof.now)
    return True


def _use_passkey(user: User, proof: Proof) -> bool:
    known = Passkey.objects.filter(user=user)
    try:
        asserted = proofs.read_assertion(proof.passkey, proof.state, known, origin=proof.origin)
    except proofs.InvalidAnswer:
        return False
    # Many passkeys do not count, and always say 0.
    goes_on = Q(sign_count__lt=asserted.sign_count) | (
        Q(sign_count=0) if asserted.sign_count == 0 else Q(pk__in=[])
    )
    own = known.filter(goes_on, credential_id=asserted.credential_id)
    return bool(own.update(sign_count=asserted.sign_count, last_used_at=proof.now))


@transaction.atomic
def add_app(*, user: User, secret: bytes, code: str, actor: Actor, now: datetime) -> list[str] | None:
    """None when the code is not the app's; else the recovery codes that came with a first factor, or none.

    The new app takes the place of one before.
    """
    period = proofs.period_of(secret, code, now=now)
    if period is None:
        return None
    kept = {"sealed": SEALER.seal(secret), "last_period": period, "added_at": now}
    AuthenticatorApp.objects.update_or_create(user=user, defaults=kept)
    return _added(user, "app", actor, now)


@transaction.atomic
def add_passkey(*, user: User, made: proofs.Registered, name: str, actor: Actor, now: datetime) -> list[str]:
    """Recovery codes that came with a first factor, or none. Raises PolicyRefused beyond MOST_PASSKEYS."""
    count = Passkey.objects.filter(user=user).count()
    need(
        count < MOST_PASSKEYS, f"You have {MOST_PASSKEYS} passkeys. Remove one that you no longer use first."
    )
    Passkey.objects.create(
        user=user,
        name=name,
        credential_id=made.credential_id,
        credential=made.credential,
        sign_count=made.sign_count,
        added_at=now,
    )
    return _added(user, "passkey", actor, now)


def _added(user: User, factor: str, actor: Actor, now: datetime) -> list[str]:
    record(actor=actor, action="accounts.add_second_factor", subject=user, detail={"factor": factor}, now=now)
    has_codes = RecoveryCode.objects.filter(user=user, used_at=None).exists()
    return [] if has_codes else _new_recovery_codes(user)


@transaction.atomic
def renew_recovery_codes(*, user: User, actor: Actor, now: datetime) -> list[str]:
    """The new ones, as they are shown once. The old ones are worth nothing any more."""
    need(bool(factors_of(user)), "Add an authenticator app or a passkey first.")
    record(actor=actor, action="accounts.renew_recovery_codes", subject=user, now=now)
    return _new_recovery_codes(user)


def _new_recovery_codes(user: User) -> list[str]:
    shown = proofs.new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=proofs.recovery_digest(each)) for each in shown
    )
    return shown


@transaction.atomic
def remove_factor(*, user: User, passkey_id: int | None, actor: Actor, now: datetime) -> bool:
    """Their app, or one of their passkeys; False when it is gone. Raises PolicyRefused for the last one.

    Without any factor there are no recovery codes either.
    """
    User.objects.select_for_update().get(pk=user.pk)
    has = factors_of(user)
    needed = has.count == 1 and is_required(user)
    need(not needed, "Your role needs a second factor. Add another one before you remove this one.")
    own = (
        AuthenticatorApp.objects.filter(user=user)
        if passkey_id is None
        else Passkey.objects.filter(user=user, pk=passkey_id)
    )
    if not own.delete()[0]:
        return False
    if not factors_of(user):
        RecoveryCode.objects.filter(user=user).delete()
    factor = "app" if passkey_id is None else "passkey"
    record(
        actor=actor, action="accounts.remove_second_factor", subject=user, detail={"factor": factor}, now=now
    )
    return True


@transaction.atomic
def reset_second_factor(*, user: User, actor: Actor, now: datetime) -> None:
    """For somebody who lost all of it, by somebody else; the person reads it at the next sign-in."""
    for model in (AuthenticatorApp, Passkey, RecoveryCode):
        model.objects.filter(user=user).delete()
    told = (
        f"{actor.label} reset your second factor on {format_date(now)}. If you did not ask for it, tell them."
    )
    User.objects.filter(pk=user.pk).update(sign_in_notice=told[:300])
    record(actor=actor, action="accounts.reset_second_factor", subject=user, now=now)


def _themselves(user: User) -> Actor:
    return Actor(label=user.get_full_name() or user.get_username(), user_id=user.pk)
