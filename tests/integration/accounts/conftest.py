"""A clinician and an auditor, and a way to move their clocks."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.test import Client

from bars_portal.accounts.middleware import LAST_ACTIVITY, STARTED
from bars_portal.accounts.models import User
from tests.factories.accounts import PASSWORD, make_user

SIGN_IN = "/accounts/sign-in/"


@pytest.fixture(autouse=True)
def _no_old_failures() -> Iterator[None]:
    """Failed sign-ins that axes counts end with the test."""
    cache.clear()
    yield


@pytest.fixture
def user(db: None) -> User:
    return make_user(username="person", first_name="Pat", last_name="Morgan")


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    response = client.post(SIGN_IN, {"username": "person", "password": PASSWORD})
    assert response.status_code == 302
    return client


@pytest.fixture
def rewind(client: Client) -> Callable[..., None]:
    """Make the session's clocks older by some seconds instead of waiting."""

    def move(*, started: float = 0, activity: float = 0) -> None:
        session: SessionBase = client.session
        session[STARTED] -= started
        session[LAST_ACTIVITY] -= activity
        session.save()

    return move


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session and settings.SESSION_COOKIE_NAME in client.cookies
