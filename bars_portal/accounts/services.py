"""Changes to people, and what the trail says about their comings and goings."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.urls import ResolverMatch

from bars_portal.accounts.acting import UNKNOWN, name_of, user_called
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record

OPEN_PAGE = "accounts.open_page"
_LONGEST_IDS = 120
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@transaction.atomic
def create_user(
    *,
    username: str,
    password: str,
    memberships: Iterable[tuple[Organisation, Role]],
    actor: Actor,
    now: datetime,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
) -> User:
    """Make a person with their roles. Raises IntegrityError when the username is taken."""
    user = User.objects.create_user(
        username=username, password=password, first_name=first_name, last_name=last_name, email=email
    )
    Membership.objects.bulk_create(
        Membership(user=user, organisation=organisation, role=role.value)
        for organisation, role in memberships
    )
    record(actor=actor, action="accounts.create_user", subject=user, now=now)
    return user


@transaction.atomic
def change_password(*, user: User, password: str, actor: Actor, now: datetime) -> None:
    """A person's own. Its quality is the form's affair."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record(actor=actor, action="accounts.change_password", subject=user, now=now)


def record_refused_password(*, user: User, actor: Actor, locked: bool, now: datetime) -> None:
    """Somebody in this person's session did not know their password."""
    outcome = "locked" if locked else "failed"
    record(actor=actor, action="accounts.change_password", outcome=outcome, subject=user, now=now)


def record_sign_in(*, user: User, now: datetime, way: str = "password") -> None:
    """`way`: password, password and app (or passkey, or recovery), or cis2."""
    record(actor=_person(user), action="accounts.sign_in", subject=user, detail={"way": way}, now=now)


def record_sign_out(*, user: User, now: datetime, reason: str = "asked") -> None:
    """`reason`: asked, idle, absolute, or cis2 (ended there)."""
    detail = {"reason": reason}
    record(actor=_person(user), action="accounts.sign_out", subject=user, detail=detail, now=now)


def record_failed_sign_in(*, username: str, locked: bool, now: datetime, step: str = "password") -> None:
    """Names the person only when there is one: what was typed might be a password.

    `step`: password, or second factor, for who had the right password.
    """
    record(
        actor=UNKNOWN,
        action="accounts.sign_in",
        outcome="locked" if locked else "failed",
        subject=user_called(username),
        detail={} if step == "password" else {"step": step},
        now=now,
    )


def record_confirmation(*, user: User, actor: Actor, way: str, now: datetime) -> None:
    """Somebody said anew who they are, before something that weighs more. `way` is "" when they could not."""
    outcome, detail = ("done", {"way": way}) if way else ("failed", {})
    record(actor=actor, action="accounts.confirm", outcome=outcome, subject=user, detail=detail, now=now)


def take_sign_in_notice(user: User) -> str:
    """What somebody is to read once; "" for nearly everybody, which costs nothing."""
    if not user.sign_in_notice:
        return ""
    taken = User.objects.filter(pk=user.pk, sign_in_notice=user.sign_in_notice).update(sign_in_notice="")
    return user.sign_in_notice if taken else ""


def record_refused_act(*, actor: Actor, match: ResolverMatch | None, now: datetime) -> None:
    """`match`: the page; of its address only ids are told, which are UUIDs."""
    ids = [str(value) for value in match.kwargs.values() if isinstance(value, UUID)] if match else []
    detail = {"page": match.view_name if match else "", "of": ", ".join(ids) or None}
    record(actor=actor, action="accounts.act", outcome="refused", detail=detail, now=now)


def record_organisation_choice(*, actor: Actor, organisation: Organisation, now: datetime) -> None:
    record(actor=actor, action="accounts.choose_organisation", subject=organisation, now=now)


@transaction.atomic
def record_refused_page(
    *,
    actor: Actor,
    page: str,
    status: int,
    ids: Iterable[object],
    now: datetime,
    row: Model | None = None,
    owner_id: int | None = None,
) -> None:
    """On the trail of the organisation that somebody acts for, and on that of the one whose `row` it was.

    `page` is the name of the view. Of the `ids` in its address only those are told that say nothing: UUIDs.
    """
    told = [str(each) for each in ids if isinstance(each, UUID) or _UUID.fullmatch(str(each))]
    detail: dict[str, str | int | None] = {"page": page, "status": status}
    if told and row is None:
        detail["id"] = ", ".join(told)[:_LONGEST_IDS]
    actors = {actor.organisation_id: actor}
    if owner_id is not None:
        actors[owner_id] = replace(actor, organisation_id=owner_id)
    for each in actors.values():
        record(actor=each, action=OPEN_PAGE, outcome="refused", subject=row, detail=detail, now=now)


def _person(user: User) -> Actor:
    return Actor(label=name_of(user), user_id=user.pk)
