"""For whom a person acts, and what they may open."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from bars_portal.accounts import home
from bars_portal.accounts.acting import LIMIT_KEY, SESSION_KEY, Acting, acting_of, actor_of, resolve_acting
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.home import AttentionItem
from bars_portal.accounts.models import Membership, User
from bars_portal.accounts.permissions import PERMISSIONS, Role
from bars_portal.accounts.services import create_user
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import add_membership, make_acting, make_organisation, make_user
from tests.factories.patients import NOW

pytestmark = pytest.mark.django_db
CHOOSE = "/accounts/choose-organisation/"


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_the_first_organisation_is_the_default_and_the_chosen_one_counts() -> None:
    first, second = make_organisation(), make_organisation()
    user = make_user(role=Role.MANAGER, organisation=first)
    add_membership(user, second, Role.CLERK)
    default, chosen = resolve_acting(user, {}), resolve_acting(user, {SESSION_KEY: second.pk})
    assert default is not None and chosen is not None
    assert (default.organisation, default.permissions) == (first, PERMISSIONS[Role.MANAGER])
    assert (chosen.organisation, chosen.permissions) == (second, PERMISSIONS[Role.CLERK])
    assert chosen.actor.organisation_id == second.pk
    assert chosen.other_organisations == (first,)


@pytest.mark.parametrize("kept", [0, "1", None, [], "x" * 9000])
def test_an_organisation_that_is_not_theirs_is_ignored(kept: object) -> None:
    user = make_user()
    acting = resolve_acting(user, {SESSION_KEY: kept})
    assert acting is not None
    assert acting.organisation == Membership.objects.get(user=user).organisation


def test_two_roles_in_one_organisation_add_up() -> None:
    organisation = make_organisation()
    user = make_user(role=Role.CLERK, organisation=organisation)
    add_membership(user, organisation, Role.ENGINEER)
    acting = resolve_acting(user, {})
    assert acting is not None
    assert acting.permissions == PERMISSIONS[Role.CLERK] | PERMISSIONS[Role.ENGINEER]


def test_someone_who_belongs_nowhere_acts_for_nobody(client: Client) -> None:
    user = make_user(role=None)
    assert resolve_acting(user, {}) is None
    client.force_login(user)
    assert "You do not belong to an organisation yet" in client.get("/").content.decode()


@pytest.mark.parametrize("role", Role)
def test_django_asks_the_roles_table(role: Role) -> None:
    user = make_user(role=role)
    assert user.get_all_permissions() == PERMISSIONS[role]
    assert user.has_perm("portal.open_admin") == ("portal.open_admin" in PERMISSIONS[role])
    assert user.has_module_perms("audit") == (role in (Role.AUDITOR, Role.INSTALLER))
    assert not user.has_perm("accounts.change_user")
    assert not user.has_perm("portal.open_admin", user)


def test_only_the_organisation_acted_for_gives_permissions() -> None:
    first, second = make_organisation(), make_organisation()
    user = make_user(role=Role.CLINICIAN, organisation=first)
    add_membership(user, second, Role.AUDITOR)
    assert user.has_perm("audit.view_auditevent")
    user.acting_organisation_id = first.pk  # type: ignore[attr-defined]  # as the middleware does
    assert not user.has_perm("audit.view_auditevent")


def test_who_acts_for_nobody_may_nothing(client: Client) -> None:
    """They signed in with NHS CIS2 for one organisation, and have left it: another one does not count."""
    user, left = make_user(role=Role.AUDITOR), make_organisation()
    client.force_login(user)
    session = client.session
    session[LIMIT_KEY] = [left.pk]
    session.save()
    assert client.get("/admin/audit/auditevent/").status_code == 302
    assert client.get("/admin/audit/auditevent/", follow=True).status_code == 403


def test_an_inactive_person_may_nothing_and_a_superuser_everything() -> None:
    user = make_user(role=Role.AUDITOR)
    user.is_active = False
    assert not user.has_perm("audit.view_auditevent")
    assert make_user(role=None, is_superuser=True).has_perm("accounts.change_user")
    superuser = resolve_acting(make_user(role=Role.CLERK, is_superuser=True), {})
    assert superuser is not None
    assert superuser.may("audit.view_auditevent")


@permission_required("bookings.book_slot")
def book(request: HttpRequest, slot: str) -> HttpResponse:
    return HttpResponse(f"{slot} {acting_of(request).organisation.name}")


def ask(user: User | None, acting: Acting | None, method: str = "GET") -> HttpRequest:
    request = RequestFactory().generic(method, "/bookings/new/?slot=7")
    request.user = fresh(user) if user else AnonymousUser()
    request.acting = acting  # type: ignore[attr-defined]  # as the middleware does
    return request


def test_allowed() -> None:
    acting = make_acting(role=Role.CLERK)
    assert book(ask(acting.user, acting), "7").content.decode() == f"7 {acting.organisation.name}"
    assert not AuditEvent.objects.exists()


def test_signed_out_goes_to_sign_in() -> None:
    assert book(ask(None, None), "7").headers["Location"].endswith("?next=/bookings/new/%3Fslot%3D7")
    assert book(ask(None, None, "POST"), "7").headers["Location"] == "/accounts/sign-in/"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ENGINEER, Role.AUDITOR])
def test_refused_once_and_recorded_once(role: Role) -> None:
    acting = make_acting(role=role)
    with pytest.raises(PermissionDenied):
        book(ask(acting.user, acting), "7")
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome) == ("accounts.open_page", "refused")
    assert event.detail == {"permission": "bookings.book_slot", "page": ""}
    assert event.actor_user == acting.user


def test_refused_without_an_organisation() -> None:
    user = make_user(role=None)
    with pytest.raises(PermissionDenied):
        book(ask(user, None), "7")
    assert AuditEvent.objects.get().actor_user == user


def test_the_actor_of_a_stranger_is_unknown() -> None:
    assert actor_of(ask(None, None)).label == "unknown"


def test_choosing_another_organisation(client: Client) -> None:
    first, second = make_organisation(name="First"), make_organisation(name="Second")
    user = make_user(organisation=first)
    add_membership(user, second, Role.AUDITOR)
    client.force_login(user)
    assert "Act for another organisation" in client.get("/").content.decode()
    client.post(CHOOSE, {"organisation": str(second.pk)})
    assert "You are acting for Second" in client.get("/").content.decode()
    event = AuditEvent.objects.get(action="accounts.choose_organisation")
    assert event.subject_id == str(second.pk)


@pytest.mark.parametrize("answer", ["", "0", "x", "\x00", "9" * 400, "<script>"])
def test_an_organisation_of_others_cannot_be_chosen(client: Client, answer: str) -> None:
    other = make_organisation(name="Not theirs")
    user = make_user()
    add_membership(user, make_organisation())
    client.force_login(user)
    for value in (answer, str(other.pk)):
        page = client.post(CHOOSE, {"organisation": value})
        assert page.status_code == 200
        assert "Select the organisation you are acting for" in page.content.decode()
    assert SESSION_KEY not in client.session


def test_with_one_organisation_there_is_no_choice(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(CHOOSE).headers["Location"] == "/"


def test_home_needs_sign_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/accounts/sign-in/?next=/"


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [(Role.ENGINEER, ["Administration"], ["Find a service", "Diary"]), (Role.CLERK, [], ["Administration"])],
)
def test_home_offers_what_the_role_may(
    client: Client, role: Role, shown: list[str], hidden: list[str]
) -> None:
    client.force_login(make_user(role=role, first_name="Sam", last_name="O'Neil"))
    page = client.get("/").content.decode()
    assert "signed in as Sam O&#39;Neil. You are acting for" in page
    assert [word for word in shown if word not in page] == []
    assert [word for word in hidden if word in page] == []


def test_home_shows_what_waits_urgent_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_sources", [])
    items = [AttentionItem("to look at", 3, "/a/"), AttentionItem("not known", 2, "/b/", urgent=True)]
    source = home.register(lambda acting, now: [*items, AttentionItem("nothing", 0, "/c/")])
    home.register(source)
    assert [item.label for item in home.items_for(make_acting(), datetime.now(UTC))] == [
        "not known",
        "to look at",
    ]
    client.force_login(make_user())
    page = client.get("/").content.decode()
    assert "Not known: 2" in page
    assert "nothing" not in page


def test_home_says_that_nothing_waits(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "_sources", [])
    home.register(lambda acting, now: [AttentionItem("to look at", 0, "/a/")])
    home.register(lambda acting, now: [AttentionItem("seen today", 0, "/b/", is_figure=True)])
    client.force_login(make_user())
    page = client.get("/").content.decode()
    assert "Nothing waits for you." in page
    assert "Seen today: 0" in page


def test_a_number_that_cannot_be_read_hides_no_other(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(acting: Acting, now: datetime) -> list[AttentionItem]:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(home, "_sources", [])
    home.register(too_slow)
    client.force_login(make_user())
    page = client.get("/").content.decode()
    assert "Some numbers are missing" in page
    assert "Nothing waits for you." not in page, "nobody knows"
    home.register(lambda acting, now: [AttentionItem("to look at", 3, "/a/")])
    assert "To look at: 3" in client.get("/").content.decode()


def test_create_user_with_roles_is_recorded() -> None:
    organisation = make_organisation()
    user = create_user(
        username="new",
        password="x",
        memberships=[(organisation, Role.CLERK)],
        actor=SYSTEM,
        now=NOW,
    )
    assert user.check_password("x")
    assert user.get_all_permissions() == PERMISSIONS[Role.CLERK]
    assert AuditEvent.objects.get(action="accounts.create_user").subject_id == str(user.pk)
