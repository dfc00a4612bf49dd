"""Who acts, for which organisation, and what they may do there: every page is scoped to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from django.contrib.auth.backends import ModelBackend
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.models import BreakGlass, Membership, Organisation, User
from bars_portal.accounts.permissions import (
    ALL_PERMISSIONS,
    BROKEN_GLASS_GIVES,
    Role,
    permissions_of_roles,
)
from bars_portal.audit.actor import Actor

SESSION_KEY = "acting_organisation_id"
# The id of break-glass access: of this browser alone, and over with its session.
BREAK_GLASS_KEY = "break_glass"
# Set when somebody signed in for certain organisations only (NHS CIS2): a list of primary keys.
LIMIT_KEY = "acting_limited_to"
UNKNOWN = Actor(label="unknown")


@dataclass(frozen=True)
class StatedPerson:
    """Whom an application of the API says that it acts for: the organisation's own word, not our sign-in.

    `system` and `value` are the identifier by which the organisation knows them.
    """

    name: str
    system: str
    value: str
    role: Role
    is_clinical: bool


@dataclass(frozen=True)
class Acting:
    """A signed-in person in one of their organisations. `permissions` is everything they may do there.

    Or an application of the API: then `user` is its account, and `stated` whom it acts for, if anybody.
    """

    user: User
    organisation: Organisation
    roles: tuple[Role, ...]
    permissions: frozenset[str]
    actor: Actor
    other_organisations: tuple[Organisation, ...] = ()
    break_glass: BreakGlass | None = None
    stated: StatedPerson | None = None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def resolve_acting(user: User, session: Mapping[str, object]) -> Acting | None:
    """The organisation kept in the session when the person (still) belongs to it, else their first one.

    None for a person who belongs to no organisation, or to none that they signed in for.
    """
    limit = session.get(LIMIT_KEY)
    held: dict[Organisation, list[Role]] = {}
    for membership in memberships_of(user):
        if not isinstance(limit, list) or membership.organisation_id in limit:
            held.setdefault(membership.organisation, []).append(Role(membership.role))
    if not held:
        return None
    chosen = session.get(SESSION_KEY)
    organisation = next((each for each in held if each.pk == chosen), next(iter(held)))
    roles = held.pop(organisation)
    return Acting(
        user=user,
        organisation=organisation,
        roles=tuple(roles),
        permissions=ALL_PERMISSIONS if user.is_superuser else permissions_of_roles(roles),
        actor=Actor(label=name_of(user), user_id=user.pk, organisation_id=organisation.pk),
        other_organisations=tuple(held),
    )


def under_break_glass(acting: Acting, session: Mapping[str, object], *, now: datetime) -> Acting:
    """With what break-glass access gives, while it lasts, in the organisation that it was taken for."""
    taken = session.get(BREAK_GLASS_KEY)
    if not taken:
        return acting
    lasting = BreakGlass.objects.filter(user=acting.user, organisation=acting.organisation, ends_at__gt=now)
    found = lasting.filter(pk=str(taken)).first()
    if found is None:
        return acting
    return replace(
        acting,
        permissions=acting.permissions | BROKEN_GLASS_GIVES,
        actor=replace(acting.actor, break_glass=str(found.pk)),
        break_glass=found,
    )


def name_of(user: User) -> str:
    """The person's name as colleagues read it, or the username."""
    return str(user)


def acting_in(request: HttpRequest) -> Acting | None:
    """For whom somebody acts; None for people who are signed out or belong nowhere."""
    return getattr(request, "acting", None)


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


def user_called(username: str) -> User | None:
    if "\0" in username:
        # Nobody is called this, and the database does not even take the question.
        return None
    return User.objects.filter(username=username).first()


def memberships_of(user: User) -> QuerySet[Membership]:
    """Oldest first: the first one is where a person starts."""
    return Membership.objects.filter(user=user).select_related("organisation").order_by("pk")


def clinicians_of(organisation: Organisation) -> QuerySet[User]:
    """People who may be named as having approved something, by name."""
    rows = User.objects.filter(
        is_active=True, memberships__organisation=organisation, memberships__role=Role.CLINICIAN
    )
    return rows.distinct().order_by("last_name", "first_name", "username")


def is_clinician(user: User, organisation: Organisation) -> bool:
    return clinicians_of(organisation).filter(pk=user.pk).exists()


class RoleBackend(ModelBackend):
    """Django's permission questions, answered from memberships alone: no groups, no single permissions.

    When the middleware has set `acting_organisation_id` on the user only the roles in that organisation
    count. Superusers may do everything, which Django answers before asking here.
    """

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """One query a request at most: kept on the user beside the organisation that it was asked for."""
        if obj is not None or not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        chosen: int | None = getattr(user_obj, "acting_organisation_id", None)
        kept: tuple[int | None, frozenset[str]] | None = getattr(user_obj, "_role_permissions", None)
        if kept is None or kept[0] != chosen:
            roles = user_obj.memberships.values_list("role", flat=True)
            if chosen is not None:
                roles = roles.filter(organisation_id=chosen)
            kept = (chosen, permissions_of_roles(map(Role, roles)))
            keep_permissions(user_obj, *kept)
        return set(kept[1])


def keep_permissions(user: User, organisation_id: int | None, permissions: frozenset[str]) -> None:
    """Remember what was already read, so that the next question costs nothing."""
    user._role_permissions = (organisation_id, permissions)  # type: ignore[attr-defined]  # a cache on the instance
