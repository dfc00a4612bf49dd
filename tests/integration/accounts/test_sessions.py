"""Where people are signed in: listed for them, ended by them; and what needs a fresh proof of who it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from bars_portal.accounts.decorators import FRESH_SECONDS
from bars_portal.accounts.models import Passkey, RecoveryCode, SignedInSession, User
from bars_portal.accounts.second_factor import services
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_user
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

pytestmark = pytest.mark.django_db
PAGE, END, CONFIRM = "/accounts/security/", "/accounts/security/end-session/", "/accounts/confirm/"
RENEW = "/accounts/security/recovery-codes/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def elsewhere(username: str = "person") -> Client:
    client = Client(headers={"User-Agent": FIREFOX})
    client.post(SIGN_IN, {"username": username, "password": PASSWORD})
    return client


def grow_stale(client: Client) -> None:
    session = client.session
    session["proven_at"] -= FRESH_SECONDS
    session.save()


def test_other_browsers_are_listed_and_signed_out_one_by_one_or_all(signed_in: Client, user: User) -> None:
    others = [elsewhere(), elsewhere(), elsewhere()]
    stranger = elsewhere(make_user(username="colleague").username)
    page = signed_in.get(PAGE).content.decode()
    assert page.count("Firefox on Linux</div></td>") == 3
    assert "This browser" in page
    first, theirs = (
        SignedInSession.objects.get(session_key=each.session.session_key).pk for each in (others[0], stranger)
    )
    signed_in.post(END, {"session": first})
    signed_in.post(END, {"session": theirs})
    assert [is_signed_in(each) for each in others] == [False, True, True]
    signed_in.post(END)
    assert [is_signed_in(each) for each in others] == [False] * 3
    assert is_signed_in(signed_in) and is_signed_in(stranger)
    assert others[1].get("/").headers["Location"].startswith(SIGN_IN)
    assert AuditEvent.objects.filter(action="accounts.end_session", subject_id=str(user.pk)).count() == 3


@pytest.mark.parametrize("number", ["9" * 25, "9" * 5000, "all"])
def test_what_is_no_number_of_a_row_signs_nobody_out(signed_in: Client, number: str) -> None:
    other = elsewhere()
    assert signed_in.post(END, {"session": number}).status_code == 404
    assert is_signed_in(other)
    assert signed_in.post("/accounts/security/remove/", {"passkey": number}).status_code == 404
    assert is_signed_in(signed_in)


def test_what_is_over_is_not_listed(signed_in: Client, rewind: Any) -> None:
    other = elsewhere()
    rewind(activity=900)
    assert "Firefox" not in "".join(_devices(other.get(PAGE).content.decode())[1:])
    other.post("/accounts/sign-out/")
    assert SignedInSession.objects.count() == 1


def _devices(page: str) -> list[str]:
    return page.partition("Where you are signed in, this browser first")[2].split(
        '<tr role="row" class="nhsuk-table__row">'
    )[1:]


def test_a_new_password_keeps_this_browser_on_the_list(signed_in: Client) -> None:
    new = "another long enough passphrase"
    other = elsewhere()
    typed = {"current_password": PASSWORD, "new_password": new, "new_password_again": new}
    signed_in.post("/accounts/change-password/", typed)
    assert not is_signed_in(other)
    assert len(_devices(signed_in.get(PAGE).content.decode())) == 1


def test_an_act_that_weighs_more_asks_again_who_it_is(signed_in: Client, user: User) -> None:
    grow_stale(signed_in)
    assert signed_in.post(RENEW).headers["Location"] == f"{CONFIRM}?next={RENEW}"
    page = signed_in.post(CONFIRM, {"password": "wrong", "next": PAGE}).content.decode()
    assert "This is not your password" in page
    assert signed_in.post(RENEW).headers["Location"].startswith(CONFIRM)
    page = signed_in.post(CONFIRM, {"password": PASSWORD, "next": PAGE}, follow=True).content.decode()
    assert "Nothing was done yet" in page
    assert signed_in.post(RENEW).headers["Location"] == PAGE, "done, or refused for want of a factor"
    outcomes = AuditEvent.objects.filter(action="accounts.confirm").values_list("outcome", flat=True)
    assert sorted(outcomes) == ["done", "failed"]


def test_who_has_a_second_factor_confirms_with_it(signed_in: Client, user: User) -> None:
    shown = services._new_recovery_codes(user)
    now = datetime.now(UTC)
    Passkey.objects.create(
        user=user, name="key", credential_id=b"1", credential=b"1", sign_count=0, added_at=now
    )
    grow_stale(signed_in)
    signed_in.post(CONFIRM, {"password": PASSWORD})
    assert signed_in.post(RENEW).headers["Location"].startswith(CONFIRM), "a password is not enough"
    signed_in.post(CONFIRM, {"otp": shown[0]})
    assert b"Your recovery codes" in signed_in.post(RENEW).content
    assert RecoveryCode.objects.filter(used_at=None).count() == 10


def test_guesses_there_lock_as_at_sign_in(signed_in: Client) -> None:
    grow_stale(signed_in)
    answers = [signed_in.post(CONFIRM, {"password": "wrong"}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    assert signed_in.post(CONFIRM, {"password": PASSWORD}).status_code == 429
