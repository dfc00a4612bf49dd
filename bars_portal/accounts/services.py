"""Changes to people, and what the trail says about their comings and goings."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import UNKNOWN, name_of, user_called
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record


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


def record_sign_in(*, user: User, now: datetime, way: str = "password") -> None:
    """`way`: password or cis2."""
    record(actor=_person(user), action="accounts.sign_in", subject=user, detail={"way": way}, now=now)


def record_sign_out(*, user: User, now: datetime, reason: str = "asked") -> None:
    """`reason`: asked, idle, absolute, or cis2 (ended there)."""
    detail = {"reason": reason}
    record(actor=_person(user), action="accounts.sign_out", subject=user, detail=detail, now=now)


def record_failed_sign_in(*, username: str, locked: bool, now: datetime) -> None:
    """Names the person only when there is one: what was typed might be a password."""
    record(
        actor=UNKNOWN,
        action="accounts.sign_in",
        outcome="locked" if locked else "failed",
        subject=user_called(username),
        now=now,
    )


def record_organisation_choice(*, actor: Actor, organisation: Organisation, now: datetime) -> None:
    record(actor=actor, action="accounts.choose_organisation", subject=organisation, now=now)


def _person(user: User) -> Actor:
    return Actor(label=name_of(user), user_id=user.pk)
