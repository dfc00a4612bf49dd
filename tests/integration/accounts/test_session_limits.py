"""Sessions end by themselves, and the same person comes back to the same page."""

from collections.abc import Callable

import pytest
from django.test import Client

from bars_portal.accounts.models import User
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_user
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

pytestmark = pytest.mark.django_db
Rewind = Callable[..., None]
KEEP_ALIVE = "/accounts/keep-alive/"
PAGE = "/accounts/choose-organisation/?from=here"
BACK = "/accounts/choose-organisation/%3Ffrom%3Dhere"


def test_idle_too_long(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    response = signed_in.get(PAGE)
    assert response.headers["Location"] == f"{SIGN_IN}?next={BACK}&ended=idle"
    assert response.headers["Cache-Control"] == "no-store"
    assert not is_signed_in(signed_in)
    page = signed_in.get(response.headers["Location"]).content.decode()
    assert "You were signed out because the portal was not used for a while" in page
    assert AuditEvent.objects.get(action="accounts.sign_out").detail == {"reason": "idle"}


def test_signed_in_too_long_although_busy(signed_in: Client, rewind: Rewind) -> None:
    rewind(started=12 * 3600)
    assert "ended=absolute" in signed_in.get(PAGE).headers["Location"]
    assert not is_signed_in(signed_in)


def test_use_prolongs_the_session(signed_in: Client, rewind: Rewind) -> None:
    for _ in range(3):
        rewind(activity=800)
        assert signed_in.get("/").status_code == 200


def test_staying_signed_in_prolongs_the_session(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=880)
    assert signed_in.post(KEEP_ALIVE).status_code == 204
    rewind(activity=880)
    assert signed_in.post(KEEP_ALIVE).status_code == 204


def test_background_requests_do_not(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=880)
    assert signed_in.get("/", headers={"X-Background": "1"}).status_code == 200
    rewind(activity=30)
    assert signed_in.get("/", headers={"X-Background": "1"}).status_code == 302
    assert not is_signed_in(signed_in)


def test_a_post_that_came_too_late_is_not_repeated(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    answer = signed_in.post(PAGE, {"organisation": "1"})
    assert answer.headers["Location"] == f"{SIGN_IN}?next={BACK}&ended=idle"
    assert not AuditEvent.objects.filter(action="accounts.choose_organisation").exists()
    assert signed_in.post(KEEP_ALIVE).status_code == 401


def test_a_fragment_leaves_for_the_whole_page(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    response = signed_in.get(
        "/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/bookings/7/"}
    )
    assert response.headers["HX-Redirect"] == f"{SIGN_IN}?next=/bookings/7/&ended=idle"
    assert response.content == b""


@pytest.mark.parametrize("address", ["http://[", "//evil.example", "http://evil.example//evil.example", ""])
def test_a_fragments_page_is_of_this_host(client: Client, address: str) -> None:
    answer = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": address})
    assert "evil" not in answer.headers["HX-Redirect"]


def test_the_warning_leaves_for_the_sign_in_page_and_keeps_next(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    response = signed_in.get(f"{SIGN_IN}?next=/bookings/7/")
    assert response.headers["Location"] == f"{SIGN_IN}?next=/bookings/7/&ended=idle"


def sign_in_again(client: Client, username: str) -> str:
    answer = client.post(SIGN_IN, {"username": username, "password": PASSWORD, "next": "/bookings/7/"})
    return answer.headers["Location"]


def test_the_same_person_returns_to_the_page(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    signed_in.get("/bookings/7/")
    assert sign_in_again(signed_in, "person") == "/bookings/7/"


def test_somebody_else_goes_home(signed_in: Client, rewind: Rewind) -> None:
    make_user(username="colleague")
    rewind(activity=900)
    signed_in.get("/bookings/7/")
    assert sign_in_again(signed_in, "colleague") == "/"


def test_a_forged_memory_counts_for_nothing(client: Client, user: User) -> None:
    client.cookies["bars_last_person"] = "1:forged"
    assert sign_in_again(client, "person") == "/bookings/7/"


def test_nothing_of_the_old_session_is_left(signed_in: Client, rewind: Rewind) -> None:
    session = signed_in.session
    session["draft"] = "typed"
    session.save()
    rewind(activity=900)
    signed_in.get("/")
    sign_in_again(signed_in, "person")
    assert "draft" not in signed_in.session
