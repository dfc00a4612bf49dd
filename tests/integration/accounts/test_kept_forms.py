"""A form that came after the end of the session: its words wait for the same person, and for nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from bars_portal.accounts import late_forms, tasks
from bars_portal.accounts.models import KeptForm, User
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, add_membership, make_user
from tests.factories.referrals import make_case, make_hub
from tests.integration.accounts.conftest import SIGN_IN

pytestmark = pytest.mark.django_db
Rewind = Callable[..., None]
WORDS = "Quillfeather is better"
FILLED = "What you had typed is filled in again"


@pytest.fixture
def page(user: User) -> str:
    """The address of a page with a form of words, which is theirs."""
    membership = user.memberships.get()
    case = make_case(service=make_hub(provider=membership.organisation))
    return f"/referrals/received/{case.pk}/reject/"


def send_too_late(client: Client, page: str, rewind: Rewind, **headers: Any) -> str:
    """Where the person is sent to."""
    rewind(activity=900)
    answer = client.post(page, {"reason": "OTH", "words": WORDS, "password": "p"}, headers=headers)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def sign_in(client: Client, username: str, page: str) -> str:
    answer = client.post(SIGN_IN, {"username": username, "password": PASSWORD, "next": page})
    return str(answer.headers["Location"])


def test_the_same_person_finds_it_typed(signed_in: Client, page: str, rewind: Rewind) -> None:
    address = send_too_late(signed_in, page, rewind)
    assert WORDS not in address
    assert "Quillfeather" not in str(signed_in.cookies)
    assert sign_in(signed_in, "person", page) == page
    for _ in range(2):  # also after a reload
        shown = signed_in.get(page).content.decode()
        assert WORDS in shown
        assert FILLED in shown
    assert AuditEvent.objects.filter(action="accounts.keep_form").count() == 1


def test_it_is_unreadable_in_the_database(signed_in: Client, page: str, rewind: Rewind) -> None:
    send_too_late(signed_in, page, rewind)
    kept = KeptForm.objects.get()
    assert WORDS.encode() not in bytes(kept.sealed)
    assert b"Quillfeather" not in bytes(kept.sealed)
    ((_, fields),) = late_forms.kept_forms(kept.user, page, now=timezone.now())
    assert fields.dict() == {"reason": "OTH", "words": WORDS}


def test_a_pasted_message_is_not_kept(signed_in: Client, rewind: Rewind) -> None:
    rewind(activity=900)
    pasted = {"pasted_message": WORDS, "pasted_headers": "a: b"}
    assert signed_in.post("/messages/explain/", pasted).status_code == 302
    assert not KeptForm.objects.exists()


def test_somebody_else_never_sees_it(signed_in: Client, page: str, rewind: Rewind) -> None:
    colleague = make_user(username="colleague")
    add_membership(colleague, User.objects.get(username="person").memberships.get().organisation)
    send_too_late(signed_in, page, rewind)
    assert sign_in(signed_in, "colleague", page) == "/"
    assert WORDS not in signed_in.get(page).content.decode()


def test_it_is_gone_once_it_was_sent(signed_in: Client, page: str, rewind: Rewind) -> None:
    send_too_late(signed_in, page, rewind)
    sign_in(signed_in, "person", page)
    signed_in.post(page, {"reason": "OTH", "words": "Another"})
    assert not KeptForm.objects.exists()


def test_it_is_kept_for_an_hour(signed_in: Client, page: str, rewind: Rewind, user: User) -> None:
    send_too_late(signed_in, page, rewind)
    KeptForm.objects.update(kept_at=timezone.now() - timedelta(minutes=61))
    sign_in(signed_in, "person", page)
    assert FILLED not in signed_in.get(page).content.decode()
    late_forms.forget_old(now=timezone.now())
    assert not KeptForm.objects.exists()


def test_a_form_that_nobody_came_back_for_is_forgotten(signed_in: Client, page: str, rewind: Rewind) -> None:
    send_too_late(signed_in, page, rewind)
    tasks.forget_typed()
    assert KeptForm.objects.exists()
    KeptForm.objects.update(kept_at=timezone.now() - timedelta(minutes=61))
    tasks.forget_typed()
    assert not KeptForm.objects.exists()


def test_a_session_that_nobody_came_back_to_is_forgotten(signed_in: Client, page: str) -> None:
    """Answers in the making are in it, and it is not encrypted."""
    signed_in.post(page, {"reason": "OTH", "words": WORDS})
    tasks.forget_typed()
    assert "Quillfeather" in str(Session.objects.get().get_decoded())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    tasks.forget_typed()
    assert not Session.objects.exists()


def test_nothing_is_forgotten_later_than_every_hour() -> None:
    planned = {each["task"]: each["schedule"] for each in settings.CELERY_BEAT_SCHEDULE.values()}
    seconds = planned[tasks.forget_typed.name]
    assert isinstance(seconds, float)
    assert seconds <= 3600


def test_also_when_nothing_is_left_of_the_session(signed_in: Client, page: str) -> None:
    signed_in.session.delete()
    answer = signed_in.post(page, {"words": WORDS})
    assert answer.headers["Location"].startswith(f"{SIGN_IN}?next=")
    sign_in(signed_in, "person", page)
    assert WORDS in signed_in.get(page).content.decode()


def test_after_signing_out_nothing_is_kept(signed_in: Client, page: str) -> None:
    signed_in.post("/accounts/sign-out/")
    signed_in.post(page, {"words": WORDS})
    assert not KeptForm.objects.exists()


def test_another_site_plants_nothing(user: User, page: str, rewind: Rewind) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    session = client.session
    session["signed_in_at"] = session["last_activity_at"] = 1.0
    session.save()
    assert client.post(page, {"reason": "planted"}).status_code == 302
    assert not KeptForm.objects.exists()


def test_a_form_of_a_page_comes_back_to_the_page(signed_in: Client, page: str, rewind: Rewind) -> None:
    note = page.replace("reject", "note")
    address = send_too_late(signed_in, note, rewind, referer=f"http://testserver{page}?x=1")
    assert f"next={page}%3Fx%3D1" in address
    kept = KeptForm.objects.get()
    assert (kept.page, kept.action) == (f"{page}?x=1", note)


def test_a_page_that_ends_by_itself_hands_in_its_form(signed_in: Client, page: str) -> None:
    told = {"X-Form-Page": page, "X-Form-Action": page, "X-Background": "1"}
    assert signed_in.post("/accounts/keep-form/", {"words": WORDS}, headers=told).status_code == 204
    assert WORDS in signed_in.get(page).content.decode()


@pytest.mark.parametrize("size", [0, 300_000], ids=["nothing", "too much"])
def test_nothing_and_too_much_are_not_kept(signed_in: Client, page: str, rewind: Rewind, size: int) -> None:
    rewind(activity=900)
    signed_in.post(page, {"reason": "x" * size})
    assert not KeptForm.objects.exists()


@pytest.mark.parametrize(
    "address", [f"/bookings/?x={'y' * 600}", "/bookings/services/%00/times/"], ids=["too long", "a zero byte"]
)
def test_what_stands_at_no_address_of_ours_is_not_kept(
    signed_in: Client, address: str, rewind: Rewind
) -> None:
    rewind(activity=900)
    answer = signed_in.post(address, {"words": WORDS})
    assert answer.headers["Location"].startswith(SIGN_IN)
    assert not KeptForm.objects.exists()


def test_one_person_keeps_ten_at_most(user: User) -> None:
    for number in range(12):
        late_forms.keep_form(
            user=user, page=f"/{number}/", action="/x/", fields=QueryDict("a=1"), now=timezone.now()
        )
    assert set(KeptForm.objects.values_list("page", flat=True)) == {f"/{n}/" for n in range(2, 12)}
