"""Inviting people, leavers, and who can do what: of the own organisation, on the trail, each link once."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.middleware import STARTED
from bars_portal.accounts.models import Invitation, KeptForm, Membership, Organisation, SignedInSession, User
from bars_portal.accounts.people import services
from bars_portal.accounts.people.services import check_can_invite
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record
from tests.factories.accounts import PASSWORD, add_membership, make_acting, make_organisation, make_user
from tests.factories.referrals import make_case, make_hub
from tests.integration.accounts.conftest import SIGN_IN, is_signed_in

pytestmark = pytest.mark.django_db
PEOPLE, INVITE, ACCEPT = "/accounts/people/", "/accounts/people/invite/", "/accounts/invitation/"
NEW = {"first_name": "Nia", "last_name": "Newcomer", "username": "nia", "email": "", "role": "clerk"}
CHOSEN = "four words that fit"


@pytest.fixture
def manager(db: None) -> User:
    return make_user(role=Role.MANAGER, username="manager")


@pytest.fixture
def signed_in(client: Client, manager: User) -> Client:
    client.post(SIGN_IN, {"username": "manager", "password": PASSWORD})
    return client


def invited(client: Client, **changes: str) -> str:
    """The token of the link that is shown."""
    page = client.post(INVITE, NEW | changes).content.decode()
    found = re.search(r"invitation/\?token=([\w-]+)<", page)
    assert found, page
    return found[1]


def accept(token: str, password: str = CHOSEN) -> Any:
    typed = {"token": token, "new_password": password, "new_password_again": password}
    return Client().post(ACCEPT, typed)


def acts(action: str) -> int:
    return AuditEvent.objects.filter(action=f"accounts.{action}", outcome="done").count()


def test_who_is_invited_chooses_a_password_once(signed_in: Client, manager: User) -> None:
    token = invited(signed_in)
    assert token not in Invitation.objects.get().token_digest
    assert "too common" in accept(token, "1qaz2wsx3edc").content.decode()
    assert accept(token).headers["Location"] == SIGN_IN
    assert accept(token, "another four words").status_code == 404, "the link worked before"
    newcomer = Client()
    newcomer.post(SIGN_IN, {"username": "nia", "password": CHOSEN})
    assert is_signed_in(newcomer)
    held = Membership.objects.get(user__username="nia")
    assert (held.organisation, held.role) == (manager.memberships.get().organisation, "clerk")
    assert (acts("invite"), acts("create_user"), acts("accept_invitation")) == (1, 1, 1)


def test_an_invitation_ends_by_itself_and_by_withdrawal(signed_in: Client) -> None:
    old = services.invitation_of(invited(signed_in), now=datetime.now(UTC) + services.INVITED_FOR)
    assert old is None
    token = invited(signed_in, username="other")
    pk = Invitation.objects.get(username="other").pk
    stranger = Client()
    stranger.force_login(make_user(role=Role.MANAGER))
    withdraw = f"{PEOPLE}invitations/{pk}/withdraw/"
    assert stranger.post(withdraw).status_code == 404
    assert Client().get(f"{ACCEPT}?token={token}").status_code == 200
    signed_in.post(withdraw)
    assert accept(token).status_code == 404
    assert Client().get(f"{ACCEPT}?token=%00").status_code == 404


def test_the_link_goes_out_by_mail_where_there_is_a_server(signed_in: Client, settings: Any) -> None:
    token = invited(signed_in, email="nia@example.org")
    assert not mail.outbox
    settings.EMAIL_HOST = "mail.example.org"
    token = invited(signed_in, email="nia@example.org")
    assert f"token={token}" in mail.outbox[0].body
    assert mail.outbox[0].to == ["nia@example.org"]


def test_a_manager_gives_no_role_that_reaches_further(signed_in: Client) -> None:
    page = signed_in.post(INVITE, NEW | {"role": "installer"})
    assert "Select what they will do" in page.content.decode()
    with pytest.raises(PolicyRefused):
        check_can_invite(make_acting(role=Role.MANAGER), Role.AUDITOR)
    with pytest.raises(PolicyRefused):
        check_can_invite(make_acting(role=Role.AUDITOR), Role.CLERK)
    assert not Invitation.objects.exists()


def test_what_was_typed_survives_the_question_who_it_is(signed_in: Client) -> None:
    session = signed_in.session
    session["proven_at"] -= 600
    session.save()
    asked = signed_in.post(INVITE, NEW, headers={"Referer": f"http://testserver{INVITE}"})
    assert asked.headers["Location"] == f"/accounts/confirm/?next={INVITE}"
    assert not Invitation.objects.exists()
    assert b"Newcomer" not in bytes(KeptForm.objects.get().sealed)
    answer = signed_in.post("/accounts/confirm/", {"password": PASSWORD, "next": INVITE}, follow=True)
    page = answer.content.decode()
    assert 'value="Newcomer"' in page
    assert "Nothing is sent yet" in page
    signed_in.post(INVITE, NEW)
    assert not KeptForm.objects.exists()
    assert STARTED in signed_in.session


def test_a_leaver_is_out_at_once_and_leaves_word_of_their_work(signed_in: Client, manager: User) -> None:
    organisation = manager.memberships.get().organisation
    leaver = make_user(username="leaver", organisation=organisation)
    case = make_case(service=make_hub(provider=organisation))
    type(case).objects.filter(pk=case.pk).update(assigned_to=leaver)
    browser = Client()
    browser.post(SIGN_IN, {"username": "leaver", "password": PASSWORD})
    page = signed_in.get(f"{PEOPLE}{leaver.pk}/leave/").content.decode()
    assert "Open cases that they have taken: 1" in page
    signed_in.post(f"{PEOPLE}{leaver.pk}/leave/")
    assert not is_signed_in(browser)
    assert not SignedInSession.objects.filter(user=leaver).exists()
    leaver.refresh_from_db()
    assert not leaver.is_active
    assert acts("leave") == 1


def test_who_belongs_elsewhere_too_loses_only_what_they_had_here(signed_in: Client, manager: User) -> None:
    leaver = make_user(organisation=manager.memberships.get().organisation)
    elsewhere = make_organisation()
    add_membership(leaver, elsewhere)
    signed_in.post(f"{PEOPLE}{leaver.pk}/leave/")
    leaver.refresh_from_db()
    assert leaver.is_active
    assert [each.organisation for each in leaver.memberships.all()] == [elsewhere]


@pytest.mark.parametrize("act", ["leave", "second-factor", "sessions"])
def test_whom_nobody_here_manages(signed_in: Client, manager: User, act: str) -> None:
    """People of others are not there; oneself, and who has a role that one does not give, is refused."""
    organisation = manager.memberships.get().organisation
    stranger, engineer = make_user(), make_user(role=Role.ENGINEER, organisation=organisation)
    for person, status in ((stranger, 404), (engineer, 302), (manager, 302)):
        assert signed_in.post(f"{PEOPLE}{person.pk}/{act}/").status_code == status
    assert not (acts("leave") or acts("reset_second_factor") or acts("end_session"))
    assert Membership.objects.count() == 3


def test_who_can_do_what_is_a_page_and_a_file_and_its_review_is_recorded(
    signed_in: Client, manager: User
) -> None:
    organisation = manager.memberships.get().organisation
    make_user(organisation=organisation, last_name="=Formula", role=Role.CLERK)
    make_user(last_name="Stranger")
    lines = signed_in.get(f"{PEOPLE}file/").getvalue().decode().splitlines()
    assert len(lines) == 3
    assert any(line.startswith("'=Formula") and "bookings.book_slot" in line for line in lines)
    signed_in.post(f"{PEOPLE}review/")
    page = signed_in.get(PEOPLE).content.decode()
    assert "by manager, of 2 people" in page
    assert "Stranger" not in page
    auditor = Client()
    auditor.force_login(make_user(role=Role.AUDITOR, organisation=organisation))
    assert auditor.get(PEOPLE).status_code == 200
    assert auditor.post(f"{PEOPLE}review/").status_code == 403
    assert acts("review_access") == 1


def test_many_people_have_pages_and_are_found_by_name(signed_in: Client, manager: User) -> None:
    organisation = manager.memberships.get().organisation
    # Once for what an organisation's first page of them asks.
    signed_in.get(PEOPLE)
    with CaptureQueriesContext(connection) as few:
        signed_in.get(PEOPLE)
    for number in range(29):
        make_user(
            organisation=organisation, role=Role.CLERK, first_name="Zoë", last_name=f"Number {number:02}"
        )
    with CaptureQueriesContext(connection) as many:
        first = signed_in.get(PEOPLE).content.decode()
    # The rows of a page are found by their keys.
    assert len(many) <= len(few) + 1
    assert ("Number 00" in first, "Number 28" in first) == (True, False)
    assert "I have reviewed all 30 people" in first
    assert "Number 28" in signed_in.get(f"{PEOPLE}?page=2").content.decode()
    found = signed_in.get(f"{PEOPLE}?name=zoe+number+07").content.decode()
    assert ("Number 07" in found, "Number 08" in found, "I have reviewed" in found) == (True, False, False)
    assert 'href="/accounts/people/?name=zoe&amp;page=2"' in signed_in.get(
        f"{PEOPLE}?name=zoe"
    ).content.decode().replace("&#38;", "&amp;")
    for nobody in ("Nobody", "\0", "x" * 5000):
        answer = signed_in.get(PEOPLE, {"name": nobody})
        assert answer.status_code == 200
    assert "Nobody here is called this" in signed_in.get(f"{PEOPLE}?name=Nobody").content.decode()
    assert len(signed_in.get(f"{PEOPLE}file/").getvalue().decode().splitlines()) == 31


def test_superusers_who_belong_nowhere_are_reviewed_everywhere(signed_in: Client) -> None:
    """The first one, made on the command line, is of no organisation."""
    root = make_user(role=None, is_superuser=True, username="root")
    make_user(role=Role.CLERK, is_superuser=True, username="elsewhere")
    User.objects.filter(pk=make_user(role=None, is_superuser=True, username="gone").pk).update(
        is_active=False
    )
    page = signed_in.get(PEOPLE).content.decode()
    assert [name in page for name in ("root", "elsewhere", "gone")] == [True, True, False]
    assert page.count("Superuser: may do everything") == 2
    lines = signed_in.get(f"{PEOPLE}file/").getvalue().decode().splitlines()
    assert [line.split(",")[3] for line in lines if "root" in line] == ["everything (superuser)"]
    signed_in.post(f"{PEOPLE}review/")
    assert "of 3 people" in signed_in.get(PEOPLE).content.decode()
    # To look after them is nobody's of the organisation.
    address = f"{PEOPLE}{root.pk}/"
    assert address not in page
    for path in ("", "leave/", "sessions/", "second-factor/"):
        answer = signed_in.post(address + path) if path else signed_in.get(address)
        assert answer.status_code == 404


def test_when_somebody_last_did_something_is_of_this_organisation(signed_in: Client, manager: User) -> None:
    """Who works elsewhere too, and does nothing here, is found by a review."""
    own, other = manager.memberships.get().organisation, make_organisation()
    both = make_user(organisation=own, role=Role.CLERK, username="both")
    add_membership(both, other, Role.CLERK)

    def act(organisation: Organisation, hour: int) -> None:
        actor = Actor("Both", both.pk, organisation.pk)
        record(actor=actor, action="bookings.view_booking", now=datetime(2026, 7, 14, hour, tzinfo=UTC))

    def told() -> str:
        lines = signed_in.get(f"{PEOPLE}file/").getvalue().decode().splitlines()
        return next(line for line in lines if "both" in line)

    act(other, 12)
    assert "14 July 2026" not in told()
    act(own, 9)
    act(own, 10)
    assert "14 July 2026 at 11:00" in told(), "London time"
    assert "14 July 2026 at 11:00" in signed_in.get(PEOPLE).content.decode()


def test_a_second_factor_guards_roles_elsewhere_too(signed_in: Client, manager: User) -> None:
    """Else whoever manages them here would take away what keeps an engineer's account there."""
    own = manager.memberships.get().organisation
    both = make_user(role=Role.CLINICIAN, organisation=own)
    elsewhere = add_membership(both, make_organisation(), Role.ENGINEER)
    address = f"{PEOPLE}{both.pk}/second-factor/"
    told = signed_in.post(address, follow=True).content.decode()
    assert "has a role elsewhere that you do not give" in told
    assert not acts("reset_second_factor")
    elsewhere.delete()
    signed_in.post(address)
    assert acts("reset_second_factor") == 1
