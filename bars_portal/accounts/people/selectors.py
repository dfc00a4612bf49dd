"""Who can do what in an organisation, who is invited, and what a person would leave behind."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import (
    AccessReview,
    AuthenticatorApp,
    Cis2Identity,
    Invitation,
    Membership,
    Organisation,
    Passkey,
    User,
)
from bars_portal.accounts.permissions import Role, permissions_of_roles
from bars_portal.accounts.second_factor.factors import needs_factor
from bars_portal.audit.selectors import last_act_in
from bars_portal.audit.staff_lists import of_keys, words_of
from bars_portal.values import asked_words, is_named


@dataclass(frozen=True)
class PersonLine:
    """One person of the organisation, with the roles that they have in it."""

    pk: int
    name: str
    username: str
    roles: tuple[Role, ...]
    is_active: bool
    is_superuser: bool
    last_sign_in: datetime | None
    # For this organisation: they may belong to others.
    last_act: datetime | None
    # In words: what they prove themselves with beside the password.
    second_factor: str

    @property
    def permissions(self) -> list[str]:
        return sorted(permissions_of_roles(self.roles))


def people_of(organisation: Organisation) -> QuerySet[User]:
    return User.objects.filter(_belongs_to(organisation))


def _belongs_to(organisation: Organisation) -> Exists:
    return Exists(Membership.objects.filter(user=OuterRef("pk"), organisation=organisation))


def with_access_to(organisation: Organisation) -> QuerySet[User]:
    """Its people, and superusers who belong nowhere: they may do everything here too."""
    return User.objects.filter(_belongs_to(organisation) | Q(is_superuser=True, is_active=True))


def people_by_name(organisation: Organisation, name: str = "") -> QuerySet[User]:
    """All with access to it; with a name, who is called so (`people_named`)."""
    people = people_named(with_access_to(organisation), name)
    return people.order_by("last_name", "first_name", "username")


def people_named(people: QuerySet[User], name: str) -> QuerySet[User]:
    """By their name however it is spelt (bars_portal.values), or by a part of any field; without one all."""
    if not name.strip():
        return people
    part, keyed = Q(), Q()
    for word in words_of(name):
        part &= Q(found_by__contains=Lower(Value(word)))
    for word in asked_words(name):
        keyed &= Q(name_key__contains=word)
    # What SQL could not fold, Python does.
    keyed |= Q(name_key="") & ~Q(first_name="", last_name="")
    rows = people.filter(keyed).exclude(part).order_by().values_list("pk", "first_name", "last_name")
    named = [pk for pk, *names in rows if is_named(" ".join(names), name)]
    return of_keys(people, part | Q(pk__in=named))


# Lines of a file that are fetched at a time.
_FETCHED = 500


def person_lines(organisation: Organisation, people: QuerySet[User]) -> Iterator[PersonLine]:
    """In the order of these people; who does not belong to the organisation has no roles."""
    passkeys = Passkey.objects.filter(user=OuterRef("pk")).order_by().values("user")
    held = Membership.objects.filter(user=OuterRef("pk"), organisation=organisation)
    told = people.annotate(
        has_app=Exists(AuthenticatorApp.objects.filter(user=OuterRef("pk"))),
        passkey_count=Coalesce(Subquery(passkeys.annotate(count=Count("pk")).values("count")), 0),
        last_act=last_act_in(organisation.pk),
        is_linked=Exists(Cis2Identity.objects.filter(user=OuterRef("pk"))),
        needs_factor=Case(When(needs_factor(), then=Value(True)), default=Value(False)),
        held_roles=ArraySubquery(held.values("role")),
    )
    for user in told.iterator(chunk_size=_FETCHED):
        yield PersonLine(
            pk=user.pk,
            name=name_of(user),
            username=user.get_username(),
            roles=tuple(role for role in Role if role in user.held_roles),
            is_active=user.is_active,
            is_superuser=user.is_superuser,
            last_sign_in=user.last_login,
            last_act=user.last_act,
            second_factor=_factor_words(user),
        )


def _factor_words(user: User) -> str:
    """Of a row of `person_lines`. Of who has no password here, NHS CIS2 looks after it."""
    is_linked = getattr(user, "is_linked", False)
    if not user.has_usable_password():
        return "NHS CIS2 alone" if is_linked else "cannot sign in yet"
    passkeys: int = getattr(user, "passkey_count", 0)
    found = [
        "app" if getattr(user, "has_app", False) else "",
        f"{passkeys} passkey{'' if passkeys == 1 else 's'}" if passkeys else "",
    ]
    words = ", ".join(filter(None, found))
    if not words:
        needs = getattr(user, "needs_factor", False)
        words = "none yet, asked for at the next sign-in" if needs else "none"
    return f"{words}; NHS CIS2 as well" if is_linked else words


def open_invitations(organisation: Organisation, *, now: datetime) -> QuerySet[Invitation]:
    rows = Invitation.objects.filter(organisation=organisation, closed_at=None, expires_at__gt=now)
    return rows.select_related("invited_by").order_by("-invited_at")


def latest_review(organisation: Organisation) -> AccessReview | None:
    reviews = AccessReview.objects.filter(organisation=organisation).select_related("reviewed_by")
    return reviews.order_by("-reviewed_at").first()


@dataclass(frozen=True)
class UnfinishedWork:
    """What a person has begun and nobody else sees: "drafts of bookings" and how many."""

    label: str
    count: int


Source = Callable[[User, Organisation], Iterable[UnfinishedWork]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Add a source of unfinished work, from an app's ready(). Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)
    return source


def unfinished_work_of(person: User, organisation: Organisation) -> list[UnfinishedWork]:
    found = (work for source in _sources for work in source(person, organisation))
    return [work for work in found if work.count]


def belongs_elsewhere(person: User, organisation: Organisation) -> bool:
    return Membership.objects.filter(~Q(organisation=organisation), user=person).exists()
