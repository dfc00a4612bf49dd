"""People and organisations in the admin: superusers change, auditors read, others do neither."""

import pytest
from django.test import Client

from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PERMISSIONS, Role
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import confirm, make_organisation, make_user

pytestmark = pytest.mark.django_db
USERS = "/admin/accounts/user/"
ORGANISATIONS = "/admin/accounts/organisation/"
LONG = "a long enough passphrase"


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(make_user(role=None, is_superuser=True, username="root"))
    return client


def inline(**rows: str) -> dict[str, str]:
    forms = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000", **rows}
    return {f"memberships-{name}": value for name, value in forms.items()}


def test_a_superuser_adds_a_person_with_a_role(superuser: Client) -> None:
    organisation = make_organisation()
    answers = {"username": "new", "password1": LONG, "password2": LONG, "usable_password": "true"}
    row = {"TOTAL_FORMS": "1", "0-role": "clerk", "0-organisation": str(organisation.pk)}
    response = superuser.post(f"{USERS}add/", {**answers, **inline(**row)})
    assert response.status_code == 302
    person = User.objects.get(username="new")
    assert person.check_password(LONG)
    assert person.get_all_permissions() == PERMISSIONS[Role.CLERK]
    event = AuditEvent.objects.get(action="accounts.create_user")
    assert (event.subject_id, event.actor_label) == (str(person.pk), "root")


def test_a_short_password_is_refused(superuser: Client) -> None:
    answers = {"username": "new", "password1": "short", "password2": "short", "usable_password": "true"}
    assert superuser.post(f"{USERS}add/", {**answers, **inline()}).status_code == 200
    assert not User.objects.filter(username="new").exists()


def test_changes_are_recorded(superuser: Client) -> None:
    organisation = make_organisation(ods_code="ABC12")
    answers = {"ods_code": "ABC12", "name": "Renamed", "phone": ""}
    assert superuser.post(f"{ORGANISATIONS}{organisation.pk}/change/", answers).status_code == 302
    assert AuditEvent.objects.get(action="accounts.change_organisation").detail == {"fields": 1}


def test_a_password_that_is_set_is_recorded(superuser: Client) -> None:
    """Whoever sets it could come in as that person."""
    person = make_user()
    address = f"{USERS}{person.pk}/password/"
    recorded = AuditEvent.objects.filter(action="accounts.set_password_of_user", subject_id=str(person.pk))
    assert superuser.get(address).headers["Location"].startswith("/accounts/confirm/"), "who is it, still?"
    confirm(superuser)
    for password, times in (("short", 0), (LONG, 1)):
        answers = {"password1": password, "password2": password, "usable_password": "true"}
        superuser.post(address, {**answers, "set-password": "1"})
        assert recorded.count() == times
    person.refresh_from_db()
    assert person.check_password(LONG)


@pytest.mark.parametrize("code", ["", "a", "abc", "ABC 1", "<script>", "X" * 13, "X" * 9000])
def test_ods_codes_that_are_none(superuser: Client, code: str) -> None:
    superuser.post(f"{ORGANISATIONS}add/", {"ods_code": code, "name": "N", "phone": ""})
    assert not AuditEvent.objects.filter(action="accounts.create_organisation").exists()


def test_people_are_never_deleted(superuser: Client) -> None:
    person = make_user()
    assert superuser.post(f"{USERS}{person.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize("path", [USERS, ORGANISATIONS])
def test_an_auditor_reads_and_changes_nothing(client: Client, path: str) -> None:
    person = make_user(role=Role.AUDITOR)
    client.force_login(person)
    assert client.get(path).status_code == 200
    assert client.get(f"{path}add/").status_code == 403
    assert client.post(f"{USERS}{person.pk}/change/", {"is_superuser": "on"}).status_code == 403
    assert client.post(f"{USERS}{person.pk}/password/", {"password1": LONG}).status_code == 403


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.MANAGER, Role.ENGINEER])
@pytest.mark.parametrize("path", [USERS, ORGANISATIONS])
def test_others_do_not_see_people(client: Client, role: Role, path: str) -> None:
    client.force_login(make_user(role=role))
    assert client.get(path, follow=True).status_code == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [("oneill", True), ("O'Neil", True), ("eoin", True), ("EOIN O\u2019NEILL", True), ("neal", False)],
)
def test_people_are_found_however_their_name_is_spelt(superuser: Client, asked: str, found: bool) -> None:
    make_user(username="u1", first_name="E\u00f3in", last_name="O\u2019Neill")
    page = superuser.get(USERS, {"q": asked}).content.decode()
    assert (">u1<" in page) is found


def test_groups_are_not_offered(superuser: Client) -> None:
    assert superuser.get("/admin/auth/group/").status_code == 404


def test_the_admin_signs_people_in_where_everyone_signs_in(client: Client) -> None:
    response = client.get(USERS, follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/sign-in/?next=")
