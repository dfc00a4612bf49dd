"""Who acts, and for which organisation: everything that a page shows is scoped to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest

from bars_portal.accounts.backends import ALL_PERMISSIONS, permissions_of_roles
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.roles import Role
from bars_portal.accounts.selectors import memberships_of
from bars_portal.audit.actor import Actor

SESSION_KEY = "acting_organisation_id"
# Set when somebody signed in for certain organisations only (NHS CIS2): a list of primary keys.
LIMIT_KEY = "acting_limited_to"
UNKNOWN = Actor(label="unknown")


@dataclass(frozen=True)
class Acting:
    """A signed-in person in one of their organisations. `permissions` is everything they may do there."""

    user: User
    organisation: Organisation
    roles: tuple[Role, ...]
    permissions: frozenset[str]
    actor: Actor
    other_organisations: tuple[Organisation, ...] = ()

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def resolve_acting(user: User, session: Mapping[str, object]) -> Acting | None:
    """The organisation kept in the session when the person (still) belongs to it, else their first one.

    None for a person who belongs to no organisation, or to none that they signed in for.
    """
    limit = session.get(LIMIT_KEY)
    roles: dict[Organisation, list[Role]] = {}
    for membership in memberships_of(user):
        if isinstance(limit, list) and membership.organisation_id not in limit:
            continue
        roles.setdefault(membership.organisation, []).append(Role(membership.role))
    if not roles:
        return None
    chosen = session.get(SESSION_KEY)
    organisation = next((each for each in roles if each.pk == chosen), next(iter(roles)))
    others = tuple(each for each in roles if each != organisation)
    return _acting(user, organisation, roles[organisation], others)


def _acting(
    user: User, organisation: Organisation, roles: list[Role], others: tuple[Organisation, ...]
) -> Acting:
    return Acting(
        user=user,
        organisation=organisation,
        roles=tuple(roles),
        permissions=ALL_PERMISSIONS if user.is_superuser else permissions_of_roles(roles),
        actor=Actor(label=name_of(user), user_id=user.pk, organisation_id=organisation.pk),
        other_organisations=others,
    )


def name_of(user: User) -> str:
    """The person's name as colleagues read it, or the username."""
    return user.get_full_name() or user.get_username()


def acting_of(request: HttpRequest) -> Acting:
    """`request.acting` with its type; only for views behind `permission_required`."""
    return cast(Acting, request.acting)  # type: ignore[attr-defined]  # set by ActingMiddleware


def actor_of(request: HttpRequest) -> Actor:
    """Who to name in the audit trail, also for people without an organisation and without sign-in."""
    acting: Acting | None = getattr(request, "acting", None)
    if acting is not None:
        return acting.actor
    user = request.user
    return Actor(label=name_of(user), user_id=user.pk) if isinstance(user, User) else UNKNOWN
