"""Reads of people and organisations."""

from django.db.models import QuerySet

from bars_portal.accounts.models import Membership, Organisation, User


def memberships_of(user: User) -> QuerySet[Membership]:
    """Oldest first: the first one is where a person starts."""
    return Membership.objects.filter(user=user).select_related("organisation").order_by("pk")


def organisations_of(user: User) -> QuerySet[Organisation]:
    return Organisation.objects.filter(memberships__user=user).distinct()


def user_called(username: str) -> User | None:
    return User.objects.filter(username=username).first()
