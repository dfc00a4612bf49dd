"""Signing in and out over HTTP: who gets in, where they land, what the trail says."""

import pytest
from django.test import Client

from bars_portal.accounts.models import User
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_user
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

pytestmark = pytest.mark.django_db
CHOOSE = "/accounts/choose-organisation/"


def sign_in(client: Client, *, username: str = "person", password: str = PASSWORD, next: str = "") -> str:
    """Post the form; the address of the next page, or "" when the form came back."""
    response = client.post(SIGN_IN, {"username": username, "password": password, "next": next})
    return response.headers.get("Location", "")


def test_the_page_is_in_the_house_style(client: Client) -> None:
    page = client.get(SIGN_IN).content.decode()
    assert "<title>Sign in - BaRS portal" in " ".join(page.split())
    assert page.count("<h1") == 1
    assert 'autocomplete="current-password"' in page


def test_a_right_password_leads_home_and_is_recorded(client: Client, user: User) -> None:
    assert sign_in(client) == "/"
    assert is_signed_in(client)
    event = AuditEvent.objects.get(action="accounts.sign_in")
    assert (event.outcome, event.actor_label, event.subject_id) == ("done", "Pat Morgan", str(user.pk))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("person", "wrong"),
        ("person", PASSWORD.upper()),
        ("person", f"{PASSWORD} "),
        ("nobody", PASSWORD),
        ("person'--", PASSWORD),
        ("<script>alert(1)</script>", "x"),
    ],
)
def test_wrong_answers_say_one_thing_and_do_not_sign_in(
    client: Client, user: User, username: str, password: str
) -> None:
    page = client.post(SIGN_IN, {"username": username, "password": password})
    assert page.status_code == 200
    assert "The username or password is not right" in page.content.decode()
    assert "<script>alert(1)" not in page.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("username", "password", "sentence"),
    [
        ("", "", "Enter username"),
        ("person", "", "Enter password"),
        ("per\x00son", "x", "Username contains characters that cannot be used"),
        ("p" * 151, "x", "Username must be 150 characters or fewer"),
        ("person", "p" * 100_000, "Password must be 256 characters or fewer"),
        ("person", "\x00", "Password contains characters that cannot be used"),
    ],
)
def test_answers_that_cannot_be_right_are_refused_in_words(
    client: Client, user: User, username: str, password: str, sentence: str
) -> None:
    page = client.post(SIGN_IN, {"username": username, "password": password}).content.decode()
    assert sentence in page
    assert "Error: Sign in" in " ".join(page.split())
    assert not AuditEvent.objects.exists()


def test_an_inactive_person_stays_out(client: Client, user: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(client) == ""


def test_a_failure_names_only_people_that_exist(client: Client, user: User) -> None:
    sign_in(client, password="wrong")
    sign_in(client, username="my-password-by-mistake")
    events = AuditEvent.objects.filter(action="accounts.sign_in", outcome="failed").order_by("pk")
    assert [(event.actor_label, event.subject_id) for event in events] == [
        ("unknown", str(user.pk)),
        ("unknown", ""),
    ]
    assert all("mistake" not in str(event.detail) for event in events)


@pytest.mark.parametrize(
    ("target", "landing"),
    [
        ("/accounts/choose-organisation/?a=1", "/accounts/choose-organisation/?a=1"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("///evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("http:///evil.example", "/"),
        ("https://testserver@evil.example/", "/"),
        ("\x00//evil.example", "/"),
        ("/" * 5000, "/"),
    ],
)
def test_next_stays_on_this_host(client: Client, user: User, target: str, landing: str) -> None:
    assert sign_in(client, next=target) == landing


def test_a_signed_in_person_needs_no_second_sign_in(signed_in: Client) -> None:
    assert signed_in.get(f"{SIGN_IN}?next={CHOOSE}").headers["Location"] == CHOOSE
    assert signed_in.get(f"{SIGN_IN}?next=//evil.example").headers["Location"] == "/"


def test_sign_out_ends_the_session_and_is_recorded(signed_in: Client) -> None:
    assert signed_in.post("/accounts/sign-out/").headers["Location"] == SIGN_IN
    assert not is_signed_in(signed_in)
    assert AuditEvent.objects.get(action="accounts.sign_out").detail == {"reason": "asked"}


@pytest.mark.parametrize("path", ["/accounts/sign-out/", "/accounts/keep-alive/"])
def test_a_link_cannot_sign_out(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 405
    assert is_signed_in(signed_in)


@pytest.mark.parametrize("path", [SIGN_IN, "/accounts/sign-out/", "/accounts/keep-alive/", CHOOSE])
def test_forged_posts_are_refused(path: str, user: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(path, {"username": "person", "password": PASSWORD}).status_code == 403
    assert is_signed_in(strict)


def test_signing_in_changes_the_session_key(client: Client, user: User) -> None:
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before


def test_locked_after_five_failures_even_with_the_right_password(client: Client, user: User) -> None:
    make_user(username="colleague")
    for _ in range(5):
        answer = client.post(SIGN_IN, {"username": "person", "password": "wrong"})
    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.content.decode()
    assert answer.headers["Retry-After"] == "900"
    assert client.post(SIGN_IN, {"username": "person", "password": PASSWORD}).status_code == 429
    assert not is_signed_in(client)
    assert AuditEvent.objects.filter(outcome="locked").exists()
    # Only this person from this address.
    assert sign_in(client, username="colleague") == "/"
