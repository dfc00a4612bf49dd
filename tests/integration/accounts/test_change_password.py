"""Everybody changes their own password: judged, throttled as sign-in is, and on the trail."""

import pytest
from django.test import Client

from bars_portal.accounts.models import KeptForm, User
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_user
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

PAGE, NEW = "/accounts/change-password/", "another long enough passphrase"


def posted(current: str = PASSWORD, new: str = NEW, again: str | None = None) -> dict[str, str]:
    again = new if again is None else again
    return {"current_password": current, "new_password": new, "new_password_again": again}


def events(outcome: str) -> int:
    return AuditEvent.objects.filter(action="accounts.change_password", outcome=outcome).count()


def test_it_is_changed_and_other_browsers_are_signed_out(signed_in: Client, user: User) -> None:
    elsewhere = Client()
    elsewhere.post(SIGN_IN, {"username": "person", "password": PASSWORD})
    answer = signed_in.post(PAGE, posted(), follow=True)
    assert "Your password is changed" in answer.content.decode()
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert signed_in.get(PAGE).status_code == 200, "this browser stays"
    assert elsewhere.get(PAGE).headers["Location"].startswith(SIGN_IN)
    assert events("done") == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (posted(new="short", again="short"), "at least 12 characters"),
        (posted(new="1qaz2wsx3edc"), "too common"),
        (posted(), None),
        (posted(again="another long enough passphrasf"), "The new passwords are not the same"),
        (posted(new=PASSWORD), "Enter a password that is not the one you have"),
        (posted(new=""), "Enter new password"),
    ],
    ids=["short", "common", "right", "slip", "same", "empty"],
)
def test_what_is_wrong_is_said(
    signed_in: Client, user: User, given: dict[str, str], sentence: str | None
) -> None:
    page = signed_in.post(PAGE, given)
    user.refresh_from_db()
    assert user.check_password(PASSWORD) is (sentence is not None)
    assert sentence is None or sentence in page.content.decode()
    for secret in (PASSWORD, NEW):
        assert secret not in page.content.decode()


def test_the_wrong_one_is_refused_recorded_and_counted(signed_in: Client, user: User) -> None:
    answer = signed_in.post(PAGE, posted(current="wrong"))
    assert "This is not your password" in answer.content.decode()
    assert events("failed") == 1
    statuses = [signed_in.post(PAGE, posted(current="wrong")).status_code for _ in range(4)]
    assert statuses[-1] == 429
    assert signed_in.post(PAGE, posted()).status_code == 429, "the right one too"
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert is_signed_in(signed_in)
    assert events("locked") == 2


def test_what_was_typed_is_not_kept_when_the_session_had_ended(signed_in: Client, user: User) -> None:
    session = signed_in.session
    session.flush()
    signed_in.post(PAGE, posted())
    assert not KeptForm.objects.exists()


def test_who_has_none_is_told(client: Client, db: None) -> None:
    person = make_user()
    person.set_unusable_password()
    person.save()
    client.force_login(person)
    assert "You sign in with NHS CIS2" in client.get(PAGE).content.decode()
    assert client.post(PAGE, posted(current="")).status_code == 200
    person.refresh_from_db()
    assert not person.has_usable_password()


def test_people_without_an_organisation_have_one_too(client: Client, db: None) -> None:
    client.force_login(make_user(role=None))
    assert client.get(PAGE).status_code == 200


def test_the_administration_has_no_way_of_its_own(client: Client, db: None) -> None:
    client.force_login(make_user(role=None, is_superuser=True))
    for address in ("/admin/password_change/", "/admin/password_change/done/"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers.get("Location")) == (302, PAGE)
    answer = client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": NEW})
    assert answer.headers["Location"] == PAGE
