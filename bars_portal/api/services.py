"""The only writers of applications, their secrets and tokens; each change is on the trail."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import need
from bars_portal.api.models import ApiToken, Application, ApplicationSecret, SpentAssertion
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.sql import insert_unless_there

# An old and a new one, while the new one is rolled out.
MOST_SECRETS = 2
TOKEN_LIFE = timedelta(minutes=10)
# `last_used_at` is as exact as this.
_USE_NOTED_EVERY = timedelta(minutes=1)
_CLIENT_ID_BYTES, _SECRET_BYTES, _HINT = 10, 32, 4


@transaction.atomic
def create_application(
    *, application: Application, actor: Actor, now: datetime, client_id: str = ""
) -> Application:
    """Write a filled-in one with an account of its own. Raises IntegrityError when the name is taken."""
    account = User(
        username=client_id or f"app_{secrets.token_hex(_CLIENT_ID_BYTES)}",
        # What histories and messages show as the name.
        last_name=application.name,
        is_active=False,
        date_joined=now,
    )
    account.set_unusable_password()
    account.save()
    application.account, application.created_at = account, now
    application.save(force_insert=True)
    _record("create_application", application, actor, now, scopes=" ".join(application.scopes))
    return application


@transaction.atomic
def change_application(
    *, application: Application, changed: Sequence[str], actor: Actor, now: datetime
) -> Application:
    """Save what a form changed. Tokens that are out keep no scope that was taken: they are asked for both."""
    application.save()
    User.objects.filter(pk=application.account_id).update(last_name=application.name)
    _record("change_application", application, actor, now, fields=", ".join(sorted(changed)))
    return application


@transaction.atomic
def create_secret(*, application: Application, actor: Actor, now: datetime) -> str:
    """A new secret, of which only a digest is kept. Raises PolicyRefused when there are two already."""
    # Who else makes one waits here, and counts this one.
    current = Application.objects.select_for_update().get(pk=application.pk)
    need(current.is_usable(now), "This application is revoked or has expired.")
    there = current.secrets.filter(revoked_at=None).count()
    need(there < MOST_SECRETS, "It has two secrets already. Take the older one away first.")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    ApplicationSecret.objects.create(
        application=current, digest=digest_of(secret), hint=secret[-_HINT:], created_at=now
    )
    _record("create_secret", current, actor, now)
    return secret


@transaction.atomic
def set_secret(*, application: Application, secret: str, actor: Actor, now: datetime) -> None:
    """A secret that is known before, as the demo's is; whatever it had is taken away."""
    application.secrets.exclude(digest=digest_of(secret)).filter(revoked_at=None).update(revoked_at=now)
    _, made = ApplicationSecret.objects.get_or_create(
        digest=digest_of(secret),
        defaults={"application": application, "hint": secret[-_HINT:], "created_at": now},
    )
    if made:
        _record("create_secret", application, actor, now)


@transaction.atomic
def revoke_oldest_secret(*, application: Application, actor: Actor, now: datetime) -> None:
    """Take away the older of two. Raises PolicyRefused when it has no other."""
    Application.objects.select_for_update().get(pk=application.pk)
    standing = list(application.secrets.filter(revoked_at=None).order_by("created_at", "pk"))
    need(len(standing) == MOST_SECRETS, "It has no second secret. Make a new one first, or revoke it.")
    ApplicationSecret.objects.filter(pk=standing[0].pk).update(revoked_at=now)
    _record("revoke_secret", application, actor, now, hint=standing[0].hint)


@transaction.atomic
def revoke_application(*, application: Application, actor: Actor, now: datetime) -> None:
    """For good, and at once: its tokens die with it. Nothing happens the second time."""
    changed = Application.objects.filter(pk=application.pk, revoked_at=None).update(revoked_at=now)
    if changed:
        ApplicationSecret.objects.filter(application=application, revoked_at=None).update(revoked_at=now)
        ApiToken.objects.filter(application=application).delete()
        _record("revoke_application", application, actor, now)


@transaction.atomic
def issue_token(
    *, application: Application, scopes: Sequence[str], token: str, actor: Actor, now: datetime
) -> ApiToken:
    """Keep the digest of a token that the OAuth server made, for TOKEN_LIFE."""
    ApiToken.objects.filter(application=application, expires_at__lte=now).delete()
    kept = ApiToken.objects.create(
        application=application,
        digest=digest_of(token),
        scopes=list(scopes),
        issued_at=now,
        expires_at=now + TOKEN_LIFE,
    )
    note_use(application=application, now=now)
    _record("issue_token", application, actor, now)
    return kept


def record_refused_token(*, account: User | None, locked: bool, now: datetime) -> None:
    """Somebody who did not prove to be the application; whom they named only when there is one."""
    application = Application.objects.filter(account=account).first() if account is not None else None
    organisation_id = application.organisation_id if application is not None else None
    record(
        actor=Actor(label="unknown", organisation_id=organisation_id),
        action="api.issue_token",
        outcome="locked" if locked else "failed",
        subject=application,
        now=now,
    )


def spend_assertion(*, application: Application, jti: str, expires_at: datetime, now: datetime) -> bool:
    """Whether this is the first time: the database lets one of two that come at once be it."""
    SpentAssertion.objects.filter(application=application, expires_at__lte=now).delete()
    spent = SpentAssertion(application=application, digest=digest_of(jti), expires_at=expires_at)
    return insert_unless_there(spent)


def forget_tokens(*, now: datetime) -> None:
    """Delete what counts no more."""
    ApiToken.objects.filter(expires_at__lte=now).delete()
    SpentAssertion.objects.filter(expires_at__lte=now).delete()


def note_use(*, application: Application, now: datetime) -> None:
    """One write a minute, however busy it is."""
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_NOTED_EVERY)
    if application.last_used_at is None or application.last_used_at <= now - _USE_NOTED_EVERY:
        Application.objects.filter(stale, pk=application.pk).update(last_used_at=now)


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def new_application(organisation: Organisation, owner: User, name: str, **fields: Any) -> Application:
    """One to be filled in further or written."""
    return Application(id=uuid4(), organisation=organisation, owner=owner, name=name, **fields)


def _record(
    verb: str, application: Application, actor: Actor, now: datetime, **detail: str | int | None
) -> None:
    record(actor=actor, action=f"api.{verb}", subject=application, detail=detail, now=now)
