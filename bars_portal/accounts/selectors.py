"""Reads of people and organisations."""

from django.db.models import QuerySet

from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.roles import Role


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
