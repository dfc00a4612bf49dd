"""Guessing passwords: of one person, from one address, with many names, and through a load balancer."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client

from bars_portal.accounts.models import User
from bars_portal.accounts.throttling import LIMITS, MANY_NAMES, SLOWED_SECONDS
from tests.factories.accounts import PASSWORD, make_user
from tests.integration.accounts.conftest import SIGN_IN

pytestmark = pytest.mark.django_db


def attempt(username: str = "person", *, password: str = "wrong", at: str = "198.51.100.1") -> int:
    """The status of one attempt, through our load balancer."""
    headers = {"X-Forwarded-For": f"192.0.2.66, {at}"}
    answer = Client().post(SIGN_IN, {"username": username, "password": password}, headers=headers)
    return answer.status_code


def failed(count: int, *, username: str = "person", at: str = "198.51.100.1") -> None:
    """So many failures before now."""
    attempt(username, at=at)
    AccessAttempt.objects.filter(username=username, ip_address=at).update(failures_since_start=count)


def test_a_person_is_locked_wherever_the_guesses_come_from(user: User) -> None:
    for number in range(4):
        failed(LIMITS[1] // 4, at=f"198.51.100.{number}")
    assert attempt(password=PASSWORD, at="203.0.113.9") == 429
    make_user(username="colleague")
    assert attempt("colleague", password=PASSWORD, at="203.0.113.9") == 302


def test_before_the_limit_a_person_comes_in_elsewhere(user: User) -> None:
    failed(LIMITS[0])
    assert attempt(password=PASSWORD) == 429
    assert attempt(password=PASSWORD, at="203.0.113.9") == 302


def test_an_address_is_locked_whatever_names_it_tries(user: User) -> None:
    attempt("nobody")
    AccessAttempt.objects.update(failures_since_start=LIMITS[2])
    assert attempt(password=PASSWORD) == 429
    assert attempt(password=PASSWORD, at="203.0.113.9") == 302


def test_what_a_browser_claims_of_itself_is_not_its_address(user: User) -> None:
    """What stands before the address that our load balancer added is made up."""
    failed(LIMITS[0])
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
    answer = Client().post(SIGN_IN, {"username": "person", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 429
    past = Client(REMOTE_ADDR="198.51.100.1")
    headers = {"X-Forwarded-For": "203.0.113.9"}
    answer = past.post(SIGN_IN, {"username": "person", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 429, "no proxy of ours: what it forwards does not count"


def test_a_network_of_ipv6_is_one_place(user: User) -> None:
    attempt("nobody", at="2001:db8:1:2::5")
    AccessAttempt.objects.update(failures_since_start=LIMITS[2])
    assert attempt(password=PASSWORD, at="2001:db8:1:2:aaaa::1") == 429
    assert attempt(password=PASSWORD, at="2001:db8:1:3::1") == 302


def test_many_names_from_one_place_are_slowed(user: User) -> None:
    for number in range(MANY_NAMES):
        assert attempt(f"somebody{number}") == 200
    headers = {"X-Forwarded-For": "198.51.100.1"}
    answer = Client().post(SIGN_IN, {"username": "person", "password": PASSWORD}, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(SLOWED_SECONDS))
    assert f"Wait {SLOWED_SECONDS} seconds" in answer.content.decode()
    assert attempt(password=PASSWORD, at="203.0.113.9") == 302, "nobody else is"
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(seconds=SLOWED_SECONDS))
    assert attempt(password=PASSWORD) == 302, "slowed, not locked"


def test_who_has_one_password_gets_no_further_guesses(user: User) -> None:
    make_user(username="insider")
    failed(LIMITS[0] - 1)
    assert attempt("insider", password=PASSWORD) == 302
    assert attempt() == 429


def test_a_lock_ends_although_somebody_goes_on_guessing(user: User) -> None:
    failed(LIMITS[0])
    before = AccessAttempt.objects.values_list("attempt_time", "failures_since_start").get()
    assert attempt() == 429
    assert AccessAttempt.objects.values_list("attempt_time", "failures_since_start").get() == before


def test_of_an_attempt_no_words_are_kept(user: User) -> None:
    typed = {"username": "my-password-by-mistake", "password": "wrong", "next": "/bookings/?q=Quill"}
    Client().post(f"{SIGN_IN}?next=/bookings/?q=Quill", typed)
    (kept,) = AccessAttempt.objects.values()
    assert not [value for value in kept.values() if "mistake" in str(value) or "Quill" in str(value)]


@pytest.mark.parametrize("odd", ["\x00", "per\x00son", "\ud800"], ids=["zero", "zero within", "half a sign"])
def test_odd_names_are_refused_like_any_other(user: User, odd: str) -> None:
    assert attempt(odd.encode("utf-8", "replace").decode()) == 200
