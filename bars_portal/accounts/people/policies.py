"""Whom somebody may invite and manage: `check_can_x` raises a sentence, `can_x` is its boolean."""

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import GIVES, Role, allowed, need

MANAGE = "accounts.manage_people"


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
