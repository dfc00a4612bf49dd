"""Who acts, for which organisation, and what they may do there: every page is scoped to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.roles import PERMISSIONS, Role
from bars_portal.audit.actor import Actor

# Reads of people and organisations.


def memberships_of(user: User) -> QuerySet[Membership]:
    """Oldest first: the first one is where a person starts."""
    return Membership.objects.filter(user=user).select_related("organisation").order_by("pk")


def organisations_of(user: User) -> QuerySet[Organisation]:
    return Organisation.objects.filter(memberships__user=user).distinct()


def user_called(username: str) -> User | None:
    return User.objects.filter(username=username).first()


def clinicians_of(organisation: Organisation) -> QuerySet[User]:
    """People who may be named as having approved something, by name."""
    rows = User.objects.filter(
        is_active=True, memberships__organisation=organisation, memberships__role=Role.CLINICIAN
    )
    return rows.distinct().order_by("last_name", "first_name", "username")


def is_clinician(user: User, organisation: Organisation) -> bool:
    return clinicians_of(organisation).filter(pk=user.pk).exists()


# What a signed-in person may do: Django's permission questions answered from the roles table.


ALL_PERMISSIONS = frozenset().union(*PERMISSIONS.values())


def permissions_of_roles(roles: list[Role]) -> frozenset[str]:
    return frozenset().union(*(PERMISSIONS[role] for role in roles))


class RoleBackend(ModelBackend):
    """Permissions come from memberships alone: groups and single permissions are not used.

    When the middleware has set `acting_organisation_id` on the user only the roles in that organisation
    count. Superusers may do everything, which Django answers before asking here.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if obj is not None or not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        return set(_permissions(user_obj))


def _permissions(user: User) -> frozenset[str]:
    """One query a request at most: kept on the user beside the organisation that it was asked for."""
    chosen: int | None = getattr(user, "acting_organisation_id", None)
    kept: tuple[int | None, frozenset[str]] | None = getattr(user, "_role_permissions", None)
    if kept is None or kept[0] != chosen:
        kept = (chosen, permissions_of_roles(_roles(user, chosen)))
        keep_permissions(user, *kept)
    return kept[1]


def keep_permissions(user: User, organisation_id: int | None, permissions: frozenset[str]) -> None:
    """Remember what was already read, so that the next question costs nothing."""
    user._role_permissions = (organisation_id, permissions)  # type: ignore[attr-defined]  # a cache on the instance


def _roles(user: User, organisation_id: int | None) -> list[Role]:
    memberships = Membership.objects.filter(user=user)
    if organisation_id is not None:
        memberships = memberships.filter(organisation_id=organisation_id)
    return [Role(role) for role in memberships.values_list("role", flat=True)]


# Who acts, and for which organisation: everything that a page shows is scoped to it.


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
