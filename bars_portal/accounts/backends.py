"""What a signed-in person may do: Django's permission questions answered from the roles table."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from bars_portal.accounts.models import Membership, User
from bars_portal.accounts.roles import PERMISSIONS, Role

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
