"""Signing in with a second factor: who needs one, what counts once, what is throttled and told."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import AuthenticatorApp, KeptForm, RecoveryCode, User
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.accounts.second_factor import proofs, services
from bars_portal.accounts.second_factor.factors import LIFE
from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, add_membership, code_at, make_organisation
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

pytestmark = pytest.mark.django_db
STEP, SET_UP, ADD_APP = (f"/accounts/second-factor/{each}" for each in ("", "set-up/", "set-up/app/"))
SECRET = b"a secret of 20 bytes"


def now() -> datetime:
    return datetime.now(UTC)


def code(*, periods: int = 0) -> str:
    return code_at(SECRET, now() + timedelta(seconds=proofs.PERIOD_SECONDS * periods))


@pytest.fixture
def recovery_codes(user: User) -> list[str]:
    """The person has an app; its codes of before were used."""
    before = now() - timedelta(minutes=5)
    actor = Actor(name_of(user), user.pk)
    shown = services.add_app(user=user, secret=SECRET, code=code_at(SECRET, before), actor=actor, now=before)
    assert shown is not None
    return shown


def give_password(client: Client, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": "person", "password": PASSWORD, **more})


def test_a_password_alone_lets_nobody_in(client: Client, recovery_codes: list[str]) -> None:
    assert give_password(client, next="/bookings/").headers["Location"] == STEP
    assert not is_signed_in(client)
    assert client.get("/bookings/").headers["Location"].startswith(SIGN_IN)
    assert client.get(ADD_APP).headers["Location"].startswith(SIGN_IN), "nor adds another factor"
    assert client.post(STEP, {"otp": code()}).headers["Location"] == "/bookings/"
    assert is_signed_in(client)
    assert AuditEvent.objects.get(action="accounts.sign_in").detail == {"way": "password and app"}


def test_the_same_code_counts_once(user: User, recovery_codes: list[str]) -> None:
    moment = now()
    shown = code_at(SECRET, moment)
    assert services.prove(user, services.Proof(now=moment, code=shown))
    assert not services.prove(user, services.Proof(now=moment, code=shown))
    earlier = code_at(SECRET, moment - timedelta(seconds=proofs.PERIOD_SECONDS))
    assert not services.prove(user, services.Proof(now=moment, code=earlier)), "nor one from before it"


def test_a_recovery_code_counts_once(client: Client, user: User, recovery_codes: list[str]) -> None:
    give_password(client)
    page = client.post(STEP, {"otp": recovery_codes[3].lower().replace("-", " ")}, follow=True)
    assert "You have 9 left" in page.content.decode()
    assert not services.prove(user, services.Proof(now=now(), code=recovery_codes[3]))
    assert AuditEvent.objects.filter(action="accounts.use_recovery_code").count() == 1
    stored = str(list(RecoveryCode.objects.values_list("digest", flat=True)))
    assert not any(proofs.compact(each) in stored.upper() for each in recovery_codes)


def test_guesses_lock_as_passwords_do_and_a_right_password_forgives_none(
    client: Client, recovery_codes: list[str]
) -> None:
    for _ in range(2):
        give_password(client)
        client.post(STEP, {"otp": "000000"})
        answer = client.post(STEP, {"otp": "000000"})
    assert answer.status_code == 200
    assert "The code is not right" in answer.content.decode()
    give_password(client)
    assert client.post(STEP, {"otp": "000000"}).status_code == 429
    assert client.post(STEP, {"otp": code()}).status_code == 429, "the right one no more"
    assert not is_signed_in(client)
    failed = AuditEvent.objects.filter(action="accounts.sign_in", outcome="failed")
    assert {str(each.detail) for each in failed} == {"{'step': 'second factor'}"}


def test_what_waits_for_the_code_does_not_wait_long(
    client: Client, user: User, recovery_codes: list[str]
) -> None:
    give_password(client)
    session = client.session
    session["pending_sign_in"] = session["pending_sign_in"] | {"at": now().timestamp() - LIFE.total_seconds()}
    session.save()
    assert client.post(STEP, {"otp": code()}).headers["Location"] == SIGN_IN
    give_password(client)
    user.set_password("changed meanwhile, by the person")
    user.save()
    assert client.post(STEP, {"otp": code()}).headers["Location"] == SIGN_IN
    assert not is_signed_in(client)


def test_who_needs_one_sets_it_up_at_the_first_sign_in(client: Client, user: User, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["auditor"]
    add_membership(user, make_organisation(), Role.AUDITOR)
    assert give_password(client, next="/bookings/").headers["Location"] == STEP
    assert client.get(STEP).headers["Location"] == SET_UP
    assert "Authenticator app" in client.get(SET_UP).content.decode()
    page = client.get(ADD_APP).content.decode()
    shown = page.partition("<code>")[2].partition("</code>")[0]
    assert shown in client.get(ADD_APP).content.decode(), "the same until it is confirmed"
    assert shown not in str(dict(client.session))
    wrong = client.post(ADD_APP, {"otp": "000000"}).content.decode()
    assert "The code is not the app’s" in wrong

    secret = base64.b32decode(shown.replace(" ", ""))
    page = client.post(ADD_APP, {"otp": code_at(secret, now())}).content.decode()
    assert page.count("<code>") == proofs.RECOVERY_CODES
    assert 'href="/bookings/"' in page
    assert is_signed_in(client)
    assert secret not in bytes(AuthenticatorApp.objects.get().sealed)
    with pytest.raises(PolicyRefused):
        services.remove_factor(user=user, passkey_id=None, actor=Actor("x", user.pk), now=now())


def test_a_reset_is_told_to_the_person_once(client: Client, user: User, recovery_codes: list[str]) -> None:
    services.reset_second_factor(user=user, actor=Actor("Morgan Reyes"), now=now())
    page = client.post(SIGN_IN, {"username": "person", "password": PASSWORD}, follow=True).content.decode()
    assert "Morgan Reyes reset your second factor" in page
    again = Client().post(SIGN_IN, {"username": "person", "password": PASSWORD}, follow=True)
    assert "Morgan Reyes" not in again.content.decode()
    assert not RecoveryCode.objects.exists()


def test_a_code_is_never_kept_with_what_was_typed(signed_in: Client, user: User, rewind: Any) -> None:
    rewind(activity=900)
    signed_in.post(ADD_APP, {"otp": "123456"})
    assert not KeptForm.objects.exists()
