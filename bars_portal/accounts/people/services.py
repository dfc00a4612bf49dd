"""Inviting people, letting them in, what happens when they leave, and that somebody looked it all over.

Whom somebody may invite and manage: `check_can_x` raises a sentence, `can_x` is its boolean.
"""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from bars_portal.accounts import sessions
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import AccessReview, Invitation, Membership, User
from bars_portal.accounts.people.selectors import belongs_elsewhere, with_access_to
from bars_portal.accounts.permissions import GIVES, Role, allowed, need
from bars_portal.accounts.second_factor import services as second_factor
from bars_portal.accounts.services import create_user
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record

MANAGE = "accounts.manage_people"
INVITED_FOR = timedelta(days=7)
_TOKEN_BYTES = 32


def roles_given_by(acting: Acting) -> list[Role]:
    """In the order of the roles."""
    if acting.user.is_superuser:
        return list(Role)
    given = frozenset().union(*(GIVES.get(role, frozenset()) for role in acting.roles))
    return [role for role in Role if role in given]


def check_can_invite(acting: Acting, role: Role) -> None:
    need(acting.may(MANAGE), "You may not invite people.")
    need(role in roles_given_by(acting), f"You may not give the role {role.label}.")


def check_can_manage(acting: Acting, person: User) -> None:
    """A person of the organisation acted for, with the roles that they have there."""
    need(acting.may(MANAGE), "You may not manage people.")
    need(person.pk != acting.user.pk, "You cannot do this to your own account: ask a colleague.")
    need(
        acting.user.is_superuser or not person.is_superuser,
        "This person sets the installation up: only another superuser may do this.",
    )
    held = person.memberships.filter(organisation=acting.organisation).values_list("role", flat=True)
    given = roles_given_by(acting)
    need(
        all(Role(role) in given for role in held),
        "This person has a role that you do not give: ask an installation engineer.",
    )


def check_can_reset_second_factor(acting: Acting, person: User) -> None:
    """It is the same in every organisation: whoever resets it gives each role that they have anywhere."""
    check_can_manage(acting, person)
    given = roles_given_by(acting)
    need(
        all(Role(role) in given for role in person.memberships.values_list("role", flat=True)),
        "This person has a role elsewhere that you do not give: ask an installation engineer.",
    )


def can_manage(acting: Acting, person: User) -> bool:
    return allowed(lambda: check_can_manage(acting, person))


@transaction.atomic
def invite(
    *,
    acting: Acting,
    role: Role,
    username: str,
    first_name: str,
    last_name: str,
    email: str,
    now: datetime,
) -> str:
    """The token of the link, which is kept nowhere. Raises PolicyRefused."""
    check_can_invite(acting, role)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    invitation = Invitation.objects.create(
        organisation=acting.organisation,
        role=role.value,
        username=username,
        first_name=first_name,
        last_name=last_name,
        email=email,
        token_digest=_digest(token),
        invited_by=acting.user,
        invited_at=now,
        expires_at=now + INVITED_FOR,
    )
    detail = {"role": role.value}
    record(actor=acting.actor, action="accounts.invite", subject=invitation, detail=detail, now=now)
    return token


def invitation_of(token: str, *, now: datetime) -> Invitation | None:
    """One that still counts."""
    rows = Invitation.objects.filter(token_digest=_digest(token), closed_at=None, expires_at__gt=now)
    return rows.select_related("organisation").first()


@transaction.atomic
def withdraw(*, acting: Acting, invitation: Invitation, now: datetime) -> bool:
    """False when it was accepted or withdrawn meanwhile."""
    need(acting.may(MANAGE), "You may not withdraw invitations.")
    if not Invitation.objects.filter(pk=invitation.pk, closed_at=None).update(closed_at=now):
        return False
    record(actor=acting.actor, action="accounts.withdraw_invitation", subject=invitation, now=now)
    return True


@transaction.atomic
def accept(*, invitation: Invitation, password: str, now: datetime) -> User | None:
    """The account, with the password that they chose; None when the invitation is used up or over.

    Raises IntegrityError when the username was taken meanwhile: then the invitation still counts.
    """
    still = Invitation.objects.filter(pk=invitation.pk, closed_at=None, expires_at__gt=now)
    if not still.update(closed_at=now):
        return None
    organisation = invitation.organisation
    label = f"{invitation.first_name} {invitation.last_name}".strip()
    user = create_user(
        username=invitation.username,
        password=password,
        memberships=[(organisation, Role(invitation.role))],
        actor=Actor(label=label, organisation_id=organisation.pk),
        first_name=invitation.first_name,
        last_name=invitation.last_name,
        email=invitation.email,
        now=now,
    )
    actor = Actor(label=label, user_id=user.pk, organisation_id=organisation.pk)
    record(actor=actor, action="accounts.accept_invitation", subject=invitation, now=now)
    return user


@transaction.atomic
def leave(*, acting: Acting, person: User, now: datetime) -> None:
    """They belong to the organisation no more; without any other one they cannot sign in.

    Their sessions end at once, everywhere. What they did stays on the trail, and so does their name. Raises
    PolicyRefused.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    check_can_manage(acting, person)
    is_last = not belongs_elsewhere(person, acting.organisation)
    Membership.objects.filter(user=person, organisation=acting.organisation).delete()
    if is_last:
        User.objects.filter(pk=person.pk).update(is_active=False)
    ended = sessions.end_sessions(user=person, actor=acting.actor, now=now)
    detail = {"sessions": ended, "account": "closed" if is_last else "open elsewhere"}
    record(actor=acting.actor, action="accounts.leave", subject=person, detail=detail, now=now)


@transaction.atomic
def end_sessions_of(*, acting: Acting, person: User, now: datetime) -> int:
    """How many. Raises PolicyRefused."""
    check_can_manage(acting, person)
    return sessions.end_sessions(user=person, actor=acting.actor, now=now)


@transaction.atomic
def reset_second_factor_of(*, acting: Acting, person: User, now: datetime) -> None:
    """Their sessions end too: who asked for it may be somebody else. Raises PolicyRefused."""
    check_can_reset_second_factor(acting, person)
    second_factor.reset_second_factor(user=person, actor=acting.actor, now=now)
    sessions.end_sessions(user=person, actor=acting.actor, now=now)


@transaction.atomic
def record_review(*, acting: Acting, now: datetime) -> AccessReview:
    need(acting.may(MANAGE), "You may not record a review.")
    review = AccessReview.objects.create(
        organisation=acting.organisation,
        reviewed_by=acting.user,
        reviewed_at=now,
        people=with_access_to(acting.organisation).count(),
    )
    record(actor=acting.actor, action="accounts.review_access", subject=review, now=now)
    return review


def _digest(token: str) -> str:
    return salted_hmac("bars_portal.accounts invitation", token, algorithm="sha256").hexdigest()
